package interop;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Map;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.cryptography.materialproviders.IKeyring;
import software.amazon.cryptography.materialproviders.MaterialProviders;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsEcdhKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateRawEcdhKeyringInput;
import software.amazon.cryptography.materialproviders.model.EphemeralPrivateKeyToStaticPublicKeyInput;
import software.amazon.cryptography.materialproviders.model.KmsEcdhStaticConfigurations;
import software.amazon.cryptography.materialproviders.model.KmsPrivateKeyToStaticPublicKeyInput;
import software.amazon.cryptography.materialproviders.model.KmsPublicKeyDiscoveryInput;
import software.amazon.cryptography.materialproviders.model.PublicKeyDiscoveryInput;
import software.amazon.cryptography.materialproviders.model.RawEcdhStaticConfigurations;
import software.amazon.cryptography.materialproviders.model.RawPrivateKeyToStaticPublicKeyInput;
import software.amazon.cryptography.primitives.model.ECDHCurveSpec;

/** Keyrings of a key agreement from the JSON that `ddbseal item` takes. The library is told the curve. */
final class Agreement {
  private Agreement() {}

  static IKeyring raw(MaterialProviders providers, Map<String, JsonNode> o) {
    RawEcdhStaticConfigurations.Builder scheme = RawEcdhStaticConfigurations.builder();
    ECDHCurveSpec curve;
    switch (o.get("type").asString()) {
      case "raw-ecdh-ephemeral" -> {
        curve = ofPublic(o);
        scheme.EphemeralPrivateKeyToStaticPublicKey(
            EphemeralPrivateKeyToStaticPublicKeyInput.builder().recipientPublicKey(publicKey(o)).build());
      }
      case "raw-ecdh-discovery" -> {
        curve = ofPrivate(o);
        scheme.PublicKeyDiscovery(
            PublicKeyDiscoveryInput.builder().recipientStaticPrivateKey(Keyrings.utf8(o.get("privateKey"))).build());
      }
      default -> {
        curve = ofPublic(o);
        scheme.RawPrivateKeyToStaticPublicKey(
            RawPrivateKeyToStaticPublicKeyInput.builder()
                .senderStaticPrivateKey(Keyrings.utf8(o.get("privateKey")))
                .recipientPublicKey(publicKey(o))
                .build());
      }
    }
    return providers.CreateRawEcdhKeyring(
        CreateRawEcdhKeyringInput.builder().curveSpec(curve).KeyAgreementScheme(scheme.build()).build());
  }

  static IKeyring kms(MaterialProviders providers, Map<String, JsonNode> o, KmsClient client) {
    String key = o.get("keyId").asString();
    KmsEcdhStaticConfigurations.Builder scheme = KmsEcdhStaticConfigurations.builder();
    ECDHCurveSpec curve;
    if (o.containsKey("publicKey")) {
      curve = ofPublic(o);
      scheme.KmsPrivateKeyToStaticPublicKey(
          KmsPrivateKeyToStaticPublicKeyInput.builder().senderKmsIdentifier(key).recipientPublicKey(publicKey(o)).build());
    } else {
      curve = ECDHCurveSpec.valueOf(client.getPublicKey(r -> r.keyId(key)).keySpecAsString());
      scheme.KmsPublicKeyDiscovery(KmsPublicKeyDiscoveryInput.builder().recipientKmsIdentifier(key).build());
    }
    return providers.CreateAwsKmsEcdhKeyring(
        CreateAwsKmsEcdhKeyringInput.builder()
            .curveSpec(curve)
            .kmsClient(client)
            .KeyAgreementScheme(scheme.build())
            .build());
  }

  private static ByteBuffer publicKey(Map<String, JsonNode> o) {
    return ByteBuffer.wrap(der(o.get("publicKey")));
  }

  private static byte[] der(JsonNode pem) {
    return Base64.getMimeDecoder().decode(pem.asString().replaceAll("-----[A-Z ]+-----", ""));
  }

  private static ECDHCurveSpec ofPublic(Map<String, JsonNode> o) {
    return ofLength(der(o.get("publicKey")).length, 91, 120);
  }

  private static ECDHCurveSpec ofPrivate(Map<String, JsonNode> o) {
    return ofLength(der(o.get("privateKey")).length, 138, 185);
  }

  /** The curve by the length of a key in DER, given those of P-256 and P-384. */
  private static ECDHCurveSpec ofLength(int length, int p256, int p384) {
    if (length <= p256) {
      return ECDHCurveSpec.ECC_NIST_P256;
    }
    return length <= p384 ? ECDHCurveSpec.ECC_NIST_P384 : ECDHCurveSpec.ECC_NIST_P521;
  }
}
