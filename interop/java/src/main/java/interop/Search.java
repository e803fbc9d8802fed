package interop;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.AsSet;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.BeaconKeySource;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.BeaconStyle;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.BeaconVersion;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.CompoundBeacon;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.Constructor;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.ConstructorPart;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.EncryptedPart;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.GetPrefix;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.MultiKeyStore;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.PartOnly;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.SearchConfig;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.Shared;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.SharedSet;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.SignedPart;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.SingleKeyStore;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.StandardBeacon;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.Upper;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.VirtualField;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.VirtualPart;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.model.VirtualTransform;

/** The member search of the JSON that `ddbseal item` takes, with the transforms that the tests use. */
final class Search {
  private Search() {}

  static SearchConfig of(JsonNode node) {
    if (node == null) {
      return null;
    }
    Map<String, JsonNode> o = node.asObject();
    if (o.containsKey("maximumNumberOfPartitions")) {
      throw new IllegalArgumentException("this library has no partitions");
    }
    Map<String, JsonNode> keys = o.get("keySource").asObject();
    return SearchConfig.builder()
        .writeVersion(1)
        .versions(
            List.of(
                BeaconVersion.builder()
                    .version(1)
                    .keyStore(Keyrings.keyStore(keys))
                    .keySource(source(keys))
                    .standardBeacons(list(o, "standardBeacons", Search::standard))
                    .virtualFields(list(o, "virtualFields", Search::virtual))
                    .compoundBeacons(list(o, "compoundBeacons", Search::compound))
                    .signedParts(list(o, "signedParts", Search::signed))
                    .encryptedParts(list(o, "encryptedParts", Search::encrypted))
                    .build()))
        .build();
  }

  private static BeaconKeySource source(Map<String, JsonNode> o) {
    if (o.containsKey("keyId")) {
      return BeaconKeySource.builder().single(SingleKeyStore.builder().keyId(text(o, "keyId")).cacheTTL(600).build()).build();
    }
    return BeaconKeySource.builder()
        .multi(MultiKeyStore.builder().keyFieldName(text(o, "keyFieldName")).cacheTTL(600).build())
        .build();
  }

  private static StandardBeacon standard(Map<String, JsonNode> o) {
    return StandardBeacon.builder()
        .name(text(o, "name"))
        .length(Integer.parseInt(o.get("length").asNumber()))
        .loc(text(o, "loc"))
        .style(style(o.get("style")))
        .build();
  }

  private static BeaconStyle style(JsonNode node) {
    if (node == null) {
      return null;
    }
    Map.Entry<String, JsonNode> style = node.asObject().entrySet().iterator().next();
    BeaconStyle.Builder b = BeaconStyle.builder();
    return switch (style.getKey()) {
      case "partOnly" -> b.partOnly(PartOnly.builder().build()).build();
      case "asSet" -> b.asSet(AsSet.builder().build()).build();
      case "shared" -> b.shared(Shared.builder().other(text(style.getValue().asObject(), "other")).build()).build();
      case "sharedSet" ->
          b.sharedSet(SharedSet.builder().other(text(style.getValue().asObject(), "other")).build()).build();
      default -> throw new IllegalArgumentException("unknown style " + style.getKey());
    };
  }

  private static VirtualField virtual(Map<String, JsonNode> o) {
    return VirtualField.builder()
        .name(text(o, "name"))
        .parts(
            list(
                o,
                "parts",
                p -> VirtualPart.builder().loc(text(p, "loc")).trans(list(p, "trans", Search::transform)).build()))
        .build();
  }

  private static VirtualTransform transform(Map<String, JsonNode> o) {
    Map.Entry<String, JsonNode> transform = o.entrySet().iterator().next();
    VirtualTransform.Builder b = VirtualTransform.builder();
    return switch (transform.getKey()) {
      case "upper" -> b.upper(Upper.builder().build()).build();
      case "prefix" ->
          b.prefix(
                  GetPrefix.builder()
                      .length(Integer.parseInt(transform.getValue().asObject().get("length").asNumber()))
                      .build())
              .build();
      default -> throw new IllegalArgumentException("unknown transform " + transform.getKey());
    };
  }

  private static CompoundBeacon compound(Map<String, JsonNode> o) {
    return CompoundBeacon.builder()
        .name(text(o, "name"))
        .split(text(o, "split"))
        .signed(list(o, "signed", Search::signed))
        .encrypted(list(o, "encrypted", Search::encrypted))
        .constructors(
            list(
                o, "constructors", c -> Constructor.builder().parts(list(c, "parts", Search::constructorPart)).build()))
        .build();
  }

  private static ConstructorPart constructorPart(Map<String, JsonNode> o) {
    return ConstructorPart.builder().name(text(o, "name")).required(o.get("required").asBoolean()).build();
  }

  private static SignedPart signed(Map<String, JsonNode> o) {
    return SignedPart.builder().name(text(o, "name")).prefix(text(o, "prefix")).loc(text(o, "loc")).build();
  }

  private static EncryptedPart encrypted(Map<String, JsonNode> o) {
    return EncryptedPart.builder().name(text(o, "name")).prefix(text(o, "prefix")).build();
  }

  /** The members of a list, null without one: the library's builders take null for that. */
  private static <T> List<T> list(Map<String, JsonNode> o, String name, Function<Map<String, JsonNode>, T> each) {
    JsonNode node = o.get(name);
    return node == null ? null : node.asArray().stream().map(n -> each.apply(n.asObject())).toList();
  }

  private static String text(Map<String, JsonNode> o, String name) {
    JsonNode node = o.get(name);
    return node == null ? null : node.asString();
  }
}
