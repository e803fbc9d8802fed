package interop;

import java.util.List;
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

  /** All items that a Query or, without a key condition, a Scan finds by the plaintext expressions of the request. */
  static List<Map<String, AttributeValue>> search(String table, JsonNode config, Map<String, JsonNode> request) {
    String condition = text(request, "keyCondition");
    Map<String, AttributeValue> values = ItemJson.item(request.get("values"));
    try (DynamoDbClient client = client(table, config.asObject())) {
      if (condition == null) {
        return client
            .scanPaginator(
                r ->
                    r.tableName(table)
                        .indexName(text(request, "index"))
                        .filterExpression(text(request, "filter"))
                        .expressionAttributeValues(values))
            .items()
            .stream()
            .toList();
      }
      return client
          .queryPaginator(
              r ->
                  r.tableName(table)
                      .indexName(text(request, "index"))
                      .keyConditionExpression(condition)
                      .filterExpression(text(request, "filter"))
                      .expressionAttributeValues(values))
          .items()
          .stream()
          .toList();
    }
  }

  private static String text(Map<String, JsonNode> o, String name) {
    JsonNode node = o.get(name);
    return node == null ? null : node.asString();
  }
}
