package interop;

import java.util.Map;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.DynamoDbEncryptionInterceptor;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.DynamoDbTablesEncryptionConfig;

/** A plain DynamoDB client with the official interceptor, as an application uses it. */
final class Table {
  private Table() {}

  private static DynamoDbClient client(String table, Map<String, JsonNode> o) {
    DynamoDbEncryptionInterceptor interceptor =
        DynamoDbEncryptionInterceptor.builder()
            .config(
                DynamoDbTablesEncryptionConfig.builder()
                    .tableEncryptionConfigs(Map.of(table, Configs.table(o)))
                    .build())
            .build();
    return Keyrings.dynamodb(ClientOverrideConfiguration.builder().addExecutionInterceptor(interceptor).build());
  }

  static void put(String table, JsonNode config, Map<String, AttributeValue> item) {
    try (DynamoDbClient client = client(table, config.asObject())) {
      client.putItem(r -> r.tableName(table).item(item));
    }
  }

  static Map<String, AttributeValue> get(String table, JsonNode config, Map<String, AttributeValue> key) {
    try (DynamoDbClient client = client(table, config.asObject())) {
      return client.getItem(r -> r.tableName(table).key(key).consistentRead(true)).item();
    }
  }
}
