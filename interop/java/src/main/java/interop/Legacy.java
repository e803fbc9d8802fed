package interop;

import com.amazonaws.services.dynamodbv2.datamodeling.encryption.DynamoDBEncryptor;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.EncryptionContext;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.EncryptionFlags;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.providers.DirectKmsMaterialProvider;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.providers.EncryptionMaterialsProvider;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.providers.SymmetricStaticProvider;
import com.amazonaws.services.dynamodbv2.datamodeling.encryption.providers.WrappedMaterialsProvider;
import com.amazonaws.services.dynamodbv2.model.AttributeValue;
import com.amazonaws.services.kms.AbstractAWSKMS;
import com.amazonaws.services.kms.model.DecryptRequest;
import com.amazonaws.services.kms.model.DecryptResult;
import com.amazonaws.services.kms.model.GenerateDataKeyRequest;
import com.amazonaws.services.kms.model.GenerateDataKeyResult;
import java.nio.ByteBuffer;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.crypto.spec.SecretKeySpec;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.kms.KmsClient;

/** Items of the older client, from the member legacy of the JSON that `ddbseal item` takes. */
final class Legacy {
  private Legacy() {}

  /** A legacy item. The request's signingKey is the private half of the provider's publicKey. */
  static Map<String, software.amazon.awssdk.services.dynamodb.model.AttributeValue> encrypt(
      Map<String, JsonNode> request) throws Exception {
    Map<String, JsonNode> config = request.get("config").asObject();
    Map<String, JsonNode> legacy = config.get("legacy").asObject();
    Map<String, Set<EncryptionFlags>> flags = new HashMap<>();
    legacy
        .get("attributeActions")
        .asObject()
        .forEach(
            (name, action) -> {
              switch (action.asString()) {
                case "ENCRYPT_AND_SIGN" -> flags.put(name, EnumSet.of(EncryptionFlags.ENCRYPT, EncryptionFlags.SIGN));
                case "SIGN_ONLY" -> flags.put(name, EnumSet.of(EncryptionFlags.SIGN));
                default -> flags.put(name, EnumSet.noneOf(EncryptionFlags.class));
              }
            });
    EncryptionContext.Builder context =
        new EncryptionContext.Builder()
            .withHashKeyName(text(config, "partitionKey"))
            .withRangeKeyName(text(config, "sortKey"));
    if (legacy.get("withoutTable") == null) {
      String table = text(legacy, "table");
      context.withTableName(table == null ? text(config, "table") : table);
    }
    Map<String, AttributeValue> item = new HashMap<>();
    ItemJson.item(request.get("item")).forEach((name, value) -> item.put(name, older(value)));
    flags.keySet().retainAll(item.keySet());
    context.withAttributeValues(item);
    DynamoDBEncryptor encryptor =
        DynamoDBEncryptor.getInstance(
            provider(legacy.get("provider").asObject(), text(request, "signingKey")), "amzn-ddb-map-");
    Map<String, software.amazon.awssdk.services.dynamodb.model.AttributeValue> out = new HashMap<>();
    encryptor.encryptRecord(item, flags, context.build()).forEach((name, value) -> out.put(name, newer(value)));
    return out;
  }

  static EncryptionMaterialsProvider provider(Map<String, JsonNode> p, String signingKey) throws Exception {
    String algorithm = text(p, "mac") == null ? "HmacSHA256" : text(p, "mac");
    SecretKeySpec mac = p.get("macKey") == null ? null : new SecretKeySpec(secret(p, "macKey"), algorithm);
    KeyPair signing = signingKey == null ? null : pair(signingKey);
    switch (text(p, "type")) {
      case "static":
        SecretKeySpec content = new SecretKeySpec(secret(p, "contentKey"), "AES");
        return mac != null ? new SymmetricStaticProvider(content, mac) : new SymmetricStaticProvider(content, signing);
      case "wrapped":
        if (p.get("privateKey") != null) {
          KeyPair wrapping = pair(text(p, "privateKey"));
          return mac != null
              ? new WrappedMaterialsProvider(wrapping.getPublic(), wrapping.getPrivate(), mac)
              : new WrappedMaterialsProvider(wrapping.getPublic(), wrapping.getPrivate(), signing);
        }
        SecretKeySpec key = new SecretKeySpec(secret(p, "wrappingKey"), "AES");
        return mac != null
            ? new WrappedMaterialsProvider(key, key, mac)
            : new WrappedMaterialsProvider(key, key, signing);
      case "aws-kms":
        String keyARN = p.get("keyIds").asArray().get(0).asString();
        return new DirectKmsMaterialProvider(new Kms(keyARN), keyARN);
      case "meta-store":
        return MetaStores.mostRecent(p, signingKey);
      default:
        throw new IllegalArgumentException("unknown provider");
    }
  }

  /** The calls that the provider makes, through the other client, whose endpoint the environment names. */
  private static final class Kms extends AbstractAWSKMS {
    private final KmsClient client;

    Kms(String keyARN) {
      client = Keyrings.kms(keyARN);
    }

    @Override
    public GenerateDataKeyResult generateDataKey(GenerateDataKeyRequest request) {
      var answer =
          client.generateDataKey(
              b ->
                  b.keyId(request.getKeyId())
                      .numberOfBytes(request.getNumberOfBytes())
                      .encryptionContext(request.getEncryptionContext()));
      return new GenerateDataKeyResult()
          .withKeyId(answer.keyId())
          .withPlaintext(answer.plaintext().asByteBuffer())
          .withCiphertextBlob(answer.ciphertextBlob().asByteBuffer());
    }

    @Override
    public DecryptResult decrypt(DecryptRequest request) {
      var answer =
          client.decrypt(
              b ->
                  b.ciphertextBlob(SdkBytes.fromByteBuffer(request.getCiphertextBlob()))
                      .encryptionContext(request.getEncryptionContext()));
      return new DecryptResult().withKeyId(answer.keyId()).withPlaintext(answer.plaintext().asByteBuffer());
    }
  }

  private static KeyPair pair(String pem) throws Exception {
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    KeyFactory factory = KeyFactory.getInstance("RSA");
    RSAPrivateCrtKey key = (RSAPrivateCrtKey) factory.generatePrivate(new PKCS8EncodedKeySpec(der));
    return new KeyPair(factory.generatePublic(new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent())), key);
  }

  private static byte[] secret(Map<String, JsonNode> o, String name) {
    return Base64.getDecoder().decode(o.get(name).asObject().get("base64").asString());
  }

  private static String text(Map<String, JsonNode> o, String name) {
    JsonNode v = o.get(name);
    return v == null ? null : v.asString();
  }

  private static AttributeValue older(software.amazon.awssdk.services.dynamodb.model.AttributeValue v) {
    switch (v.type()) {
      case S:
        return new AttributeValue().withS(v.s());
      case N:
        return new AttributeValue().withN(v.n());
      case B:
        return new AttributeValue().withB(v.b().asByteBuffer());
      case BOOL:
        return new AttributeValue().withBOOL(v.bool());
      case NUL:
        return new AttributeValue().withNULL(v.nul());
      case SS:
        return new AttributeValue().withSS(v.ss());
      case NS:
        return new AttributeValue().withNS(v.ns());
      case BS:
        return new AttributeValue().withBS(v.bs().stream().map(SdkBytes::asByteBuffer).toList());
      case L:
        return new AttributeValue().withL(v.l().stream().map(Legacy::older).toList());
      default:
        Map<String, AttributeValue> m = new HashMap<>();
        v.m().forEach((name, value) -> m.put(name, older(value)));
        return new AttributeValue().withM(m);
    }
  }

  private static software.amazon.awssdk.services.dynamodb.model.AttributeValue newer(AttributeValue v) {
    var b = software.amazon.awssdk.services.dynamodb.model.AttributeValue.builder();
    if (v.getS() != null) {
      return b.s(v.getS()).build();
    } else if (v.getN() != null) {
      return b.n(v.getN()).build();
    } else if (v.getB() != null) {
      return b.b(SdkBytes.fromByteBuffer(v.getB())).build();
    } else if (v.getBOOL() != null) {
      return b.bool(v.getBOOL()).build();
    } else if (v.getNULL() != null) {
      return b.nul(v.getNULL()).build();
    } else if (v.getSS() != null) {
      return b.ss(v.getSS()).build();
    } else if (v.getNS() != null) {
      return b.ns(v.getNS()).build();
    } else if (v.getBS() != null) {
      List<SdkBytes> list = new ArrayList<>();
      for (ByteBuffer each : v.getBS()) {
        list.add(SdkBytes.fromByteBuffer(each));
      }
      return b.bs(list).build();
    } else if (v.getL() != null) {
      return b.l(v.getL().stream().map(Legacy::newer).toList()).build();
    }
    Map<String, software.amazon.awssdk.services.dynamodb.model.AttributeValue> m = new HashMap<>();
    v.getM().forEach((name, value) -> m.put(name, newer(value)));
    return b.m(m).build();
  }
}
