package interop;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.itemencryptor.model.DynamoDbItemEncryptorConfig;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.DynamoDbTableEncryptionConfig;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.PlaintextOverride;
import software.amazon.cryptography.dbencryptionsdk.structuredencryption.model.CryptoAction;
import software.amazon.cryptography.materialproviders.model.DBEAlgorithmSuiteId;

/**
 * Configurations of the official library from the JSON that `ddbseal item` takes. A member that is missing is left out:
 * the library's builders take null for that.
 */
final class Configs {
  private Configs() {}

  static DynamoDbItemEncryptorConfig encryptor(Map<String, JsonNode> o) {
    return DynamoDbItemEncryptorConfig.builder()
        .logicalTableName(text(o, "table"))
        .partitionKeyName(text(o, "partitionKey"))
        .sortKeyName(text(o, "sortKey"))
        .attributeActionsOnEncrypt(actions(o))
        .allowedUnsignedAttributes(unsigned(o))
        .allowedUnsignedAttributePrefix(text(o, "allowedUnsignedAttributePrefix"))
        .algorithmSuiteId(suite(o))
        .plaintextOverride(policy(o))
        .keyring(Keyrings.of(o.get("keyring")))
        .build();
  }

  /** The same for the interceptor. */
  static DynamoDbTableEncryptionConfig table(Map<String, JsonNode> o) {
    return DynamoDbTableEncryptionConfig.builder()
        .logicalTableName(text(o, "table"))
        .partitionKeyName(text(o, "partitionKey"))
        .sortKeyName(text(o, "sortKey"))
        .attributeActionsOnEncrypt(actions(o))
        .allowedUnsignedAttributes(unsigned(o))
        .allowedUnsignedAttributePrefix(text(o, "allowedUnsignedAttributePrefix"))
        .algorithmSuiteId(suite(o))
        .plaintextOverride(policy(o))
        .search(Search.of(o.get("search")))
        .keyring(Keyrings.of(o.get("keyring")))
        .build();
  }

  private static Map<String, CryptoAction> actions(Map<String, JsonNode> o) {
    Map<String, CryptoAction> actions = new HashMap<>();
    o.get("attributeActions").asObject().forEach((k, v) -> actions.put(k, CryptoAction.valueOf(v.asString())));
    return actions;
  }

  private static List<String> unsigned(Map<String, JsonNode> o) {
    JsonNode list = o.get("allowedUnsignedAttributes");
    return list == null ? null : list.asArray().stream().map(JsonNode::asString).toList();
  }

  private static DBEAlgorithmSuiteId suite(Map<String, JsonNode> o) {
    String name = text(o, "algorithmSuite");
    return name == null ? null : DBEAlgorithmSuiteId.valueOf(name);
  }

  private static PlaintextOverride policy(Map<String, JsonNode> o) {
    String name = text(o, "plaintextPolicy");
    return name == null ? null : PlaintextOverride.valueOf(name);
  }

  private static String text(Map<String, JsonNode> o, String name) {
    JsonNode node = o.get(name);
    return node == null ? null : node.asString();
  }
}
