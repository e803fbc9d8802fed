package interop;

import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.EncryptionAlgorithmSpec;
import software.amazon.cryptography.keystore.KeyStore;
import software.amazon.cryptography.keystore.model.KMSConfiguration;
import software.amazon.cryptography.keystore.model.KeyStoreConfig;
import software.amazon.cryptography.materialproviders.IKeyring;
import software.amazon.cryptography.materialproviders.MaterialProviders;
import software.amazon.cryptography.materialproviders.model.AesWrappingAlg;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsDiscoveryKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsHierarchicalKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsMrkDiscoveryKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsMrkKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsRsaKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateMultiKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateRawAesKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateRawRsaKeyringInput;
import software.amazon.cryptography.materialproviders.model.DiscoveryFilter;
import software.amazon.cryptography.materialproviders.model.MaterialProvidersConfig;
import software.amazon.cryptography.materialproviders.model.PaddingScheme;

/** Keyrings of the official library from the JSON that `ddbseal item` takes. */
final class Keyrings {
  private static final MaterialProviders PROVIDERS =
      MaterialProviders.builder().MaterialProvidersConfig(MaterialProvidersConfig.builder().build()).build();

  private Keyrings() {}

  static IKeyring of(JsonNode node) {
    Map<String, JsonNode> o = node.asObject();
    String type = o.get("type").asString();
    switch (type) {
      case "raw-aes":
        return aes(o);
      case "raw-rsa":
        return rsa(o);
      case "multi":
        CreateMultiKeyringInput.Builder multi = CreateMultiKeyringInput.builder();
        if (o.containsKey("generator")) {
          multi.generator(of(o.get("generator")));
        }
        List<JsonNode> children = o.containsKey("children") ? o.get("children").asArray() : List.of();
        return PROVIDERS.CreateMultiKeyring(multi.childKeyrings(children.stream().map(Keyrings::of).toList()).build());
      case "aws-kms":
        return PROVIDERS.CreateAwsKmsKeyring(
            CreateAwsKmsKeyringInput.builder().kmsKeyId(o.get("keyId").asString()).kmsClient(kmsOf(o)).build());
      case "aws-kms-mrk":
        return PROVIDERS.CreateAwsKmsMrkKeyring(
            CreateAwsKmsMrkKeyringInput.builder().kmsKeyId(o.get("keyId").asString()).kmsClient(kmsOf(o)).build());
      case "aws-kms-discovery":
        return PROVIDERS.CreateAwsKmsDiscoveryKeyring(
            CreateAwsKmsDiscoveryKeyringInput.builder().kmsClient(kmsOf(o)).discoveryFilter(filter(o)).build());
      case "aws-kms-mrk-discovery":
        return PROVIDERS.CreateAwsKmsMrkDiscoveryKeyring(
            CreateAwsKmsMrkDiscoveryKeyringInput.builder()
                .kmsClient(kmsOf(o))
                .region(o.get("region").asString())
                .discoveryFilter(filter(o))
                .build());
      case "raw-ecdh", "raw-ecdh-ephemeral", "raw-ecdh-discovery":
        return Agreement.raw(PROVIDERS, o);
      case "aws-kms-ecdh", "aws-kms-ecdh-discovery":
        return Agreement.kms(PROVIDERS, o, kmsOf(o));
      case "aws-kms-rsa":
        return kmsRsa(o);
      case "hierarchical":
        return PROVIDERS.CreateAwsKmsHierarchicalKeyring(
            CreateAwsKmsHierarchicalKeyringInput.builder()
                .branchKeyId(o.get("branchKeyId").asString())
                .keyStore(keyStore(o))
                .ttlSeconds(600)
                .build());
      default:
        throw new IllegalArgumentException("unknown keyring type " + type);
    }
  }

  /** A client for the Region of a key ARN. */
  static KmsClient kms(String keyARN) {
    return Clients.kms(keyARN.split(":")[3]);
  }

  /** A client for the Region of the key or, without one, for the Region that is named. */
  private static KmsClient kmsOf(Map<String, JsonNode> o) {
    JsonNode key = o.get("keyId");
    return Clients.kms(key == null ? o.get("region").asString() : key.asString().split(":")[3]);
  }

  private static DiscoveryFilter filter(Map<String, JsonNode> o) {
    JsonNode accounts = o.get("accounts");
    if (accounts == null) {
      return null;
    }
    return DiscoveryFilter.builder()
        .partition("aws")
        .accountIds(accounts.asArray().stream().map(JsonNode::asString).toList())
        .build();
  }

  private static IKeyring aes(Map<String, JsonNode> o) {
    byte[] key = Base64.getDecoder().decode(o.get("key").asObject().get("base64").asString());
    AesWrappingAlg algorithm =
        Map.of(
                16, AesWrappingAlg.ALG_AES128_GCM_IV12_TAG16,
                24, AesWrappingAlg.ALG_AES192_GCM_IV12_TAG16,
                32, AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16)
            .get(key.length);
    return PROVIDERS.CreateRawAesKeyring(
        CreateRawAesKeyringInput.builder()
            .keyNamespace(o.get("namespace").asString())
            .keyName(o.get("name").asString())
            .wrappingKey(ByteBuffer.wrap(key))
            .wrappingAlg(algorithm)
            .build());
  }

  private static IKeyring rsa(Map<String, JsonNode> o) {
    CreateRawRsaKeyringInput.Builder b =
        CreateRawRsaKeyringInput.builder()
            .keyNamespace(o.get("namespace").asString())
            .keyName(o.get("name").asString())
            .paddingScheme(PaddingScheme.valueOf(o.get("padding").asString()));
    if (o.containsKey("publicKey")) {
      b.publicKey(utf8(o.get("publicKey")));
    }
    if (o.containsKey("privateKey")) {
      b.privateKey(utf8(o.get("privateKey")));
    }
    return PROVIDERS.CreateRawRsaKeyring(b.build());
  }

  private static IKeyring kmsRsa(Map<String, JsonNode> o) {
    CreateAwsKmsRsaKeyringInput.Builder b =
        CreateAwsKmsRsaKeyringInput.builder()
            .kmsKeyId(o.get("keyId").asString())
            .kmsClient(kmsOf(o))
            .encryptionAlgorithm(EncryptionAlgorithmSpec.fromValue(o.get("encryptionAlgorithm").asString()));
    if (o.containsKey("publicKey")) {
      b.publicKey(utf8(o.get("publicKey")));
    }
    return PROVIDERS.CreateAwsKmsRsaKeyring(b.build());
  }

  static ByteBuffer utf8(JsonNode node) {
    return ByteBuffer.wrap(node.asString().getBytes(StandardCharsets.UTF_8));
  }

  static KeyStore keyStore(Map<String, JsonNode> o) {
    return KeyStore.builder()
        .KeyStoreConfig(
            KeyStoreConfig.builder()
                .ddbTableName(o.get("table").asString())
                .logicalKeyStoreName(o.get("logicalName").asString())
                .kmsConfiguration(KMSConfiguration.builder().kmsKeyArn(o.get("kmsKeyId").asString()).build())
                .ddbClient(Clients.DYNAMODB)
                .kmsClient(Clients.kms(System.getenv("AWS_REGION")))
                .build())
        .build();
  }

  // AWS_ENDPOINT_URL is read by newer SDKs only than the one the library asks for.
  private static URI endpoint() {
    return URI.create(System.getenv("AWS_ENDPOINT_URL"));
  }

  // One client of each for a process and Region, made when first needed: an encryptor is made for every request.
  private static final class Clients {
    private static final Map<String, KmsClient> KMS = new HashMap<>();
    static final DynamoDbClient DYNAMODB = dynamodb(ClientOverrideConfiguration.builder().build());

    static KmsClient kms(String region) {
      return KMS.computeIfAbsent(
          region,
          r ->
              KmsClient.builder()
                  .endpointOverride(endpoint())
                  .region(Region.of(r))
                  .credentialsProvider(DefaultCredentialsProvider.create())
                  .build());
    }
  }

  static DynamoDbClient dynamodb(ClientOverrideConfiguration override) {
    return DynamoDbClient.builder()
        .overrideConfiguration(override)
        .endpointOverride(endpoint())
        .region(Region.of(System.getenv("AWS_REGION")))
        .credentialsProvider(DefaultCredentialsProvider.create())
        .build();
  }
}
