package interop;

import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDB;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBClientBuilder;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.DynamoDBEncryptor;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.providers.CachingMostRecentProvider;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.providers.EncryptionMaterialsProvider;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.providers.store.MetaStore;
import com.amazonaws.services.dynamodbv2.model.AttributeValue;
import com.amazonaws.services.dynamodbv2.model.ProvisionedThroughput;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;

/** Meta tables of the older client, whose classes read and write them in DynamoDB. */
final class MetaStores {
  private static final AmazonDynamoDB DYNAMODB = dynamodb();

  private MetaStores() {}

  private static AmazonDynamoDB dynamodb() {
    System.setProperty("aws.java.v1.disableDeprecationAnnouncement", "true");
    return AmazonDynamoDBClientBuilder.standard()
        .withEndpointConfiguration(
            new EndpointConfiguration(System.getenv("AWS_ENDPOINT_URL"), System.getenv("AWS_REGION")))
        .build();
  }

  static void createTable(String name) {
    MetaStore.createTable(DYNAMODB, name, new ProvisionedThroughput(5L, 5L));
  }

  /** The provider of the most recent version, which creates version 0 if there is none. */
  static EncryptionMaterialsProvider mostRecent(Map<String, JsonNode> p, String signingKey) throws Exception {
    return new CachingMostRecentProvider(of(p, signingKey), p.get("materialName").asString(), 600_000);
  }

  /** Creates the next version of the material. */
  static void rotate(Map<String, JsonNode> p, String signingKey) throws Exception {
    of(p, signingKey).newProvider(p.get("materialName").asString());
  }

  private static MetaStore of(Map<String, JsonNode> p, String signingKey) throws Exception {
    DynamoDBEncryptor rows =
        DynamoDBEncryptor.getInstance(Legacy.provider(p.get("rows").asObject(), signingKey), "amzn-ddb-map-");
    String table = p.get("table").asString();
    JsonNode names = p.get("signedOnly");
    if (names == null) {
      return new MetaStore(DYNAMODB, table, rows);
    }
    return new MetaStore(
        DYNAMODB, table, rows, new Extra(names.asArray().stream().map(JsonNode::asString).collect(Collectors.toSet())));
  }

  /** Attributes beside the keys: those named are signed only, and one is encrypted. */
  private record Extra(Set<String> names) implements MetaStore.ExtraDataSupplier {
    @Override
    public Map<String, AttributeValue> getAttributes(String materialName, long version) {
      Map<String, AttributeValue> out = new HashMap<>();
      names.forEach(name -> out.put(name, new AttributeValue(materialName + " " + version)));
      out.put("encrypted extra", new AttributeValue("encrypted"));
      return out;
    }

    @Override
    public Set<String> getSignedOnlyFieldNames() {
      return names;
    }
  }
}
