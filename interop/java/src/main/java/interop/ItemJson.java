package interop;

import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** DynamoDB JSON, both ways. */
final class ItemJson {
  private ItemJson() {}

  static Map<String, AttributeValue> item(JsonNode node) {
    Map<String, AttributeValue> out = new LinkedHashMap<>();
    node.asObject().forEach((name, value) -> out.put(name, value(value)));
    return out;
  }

  private static AttributeValue value(JsonNode node) {
    Map.Entry<String, JsonNode> member = node.asObject().entrySet().iterator().next();
    JsonNode v = member.getValue();
    AttributeValue.Builder b = AttributeValue.builder();
    switch (member.getKey()) {
      case "S":
        return b.s(v.asString()).build();
      case "N":
        return b.n(v.asString()).build();
      case "B":
        return b.b(bytes(v)).build();
      case "BOOL":
        return b.bool(v.asBoolean()).build();
      case "NULL":
        return b.nul(v.asBoolean()).build();
      case "SS":
        return b.ss(v.asArray().stream().map(JsonNode::asString).toList()).build();
      case "NS":
        return b.ns(v.asArray().stream().map(JsonNode::asString).toList()).build();
      case "BS":
        return b.bs(v.asArray().stream().map(ItemJson::bytes).toList()).build();
      case "L":
        return b.l(v.asArray().stream().map(ItemJson::value).toList()).build();
      case "M":
        return b.m(item(v)).build();
      default:
        throw new IllegalArgumentException("unknown type " + member.getKey());
    }
  }

  private static SdkBytes bytes(JsonNode node) {
    return SdkBytes.fromByteArray(Base64.getDecoder().decode(node.asString()));
  }

  static void write(StringBuilder out, Map<String, AttributeValue> item) {
    out.append('{');
    String comma = "";
    for (Map.Entry<String, AttributeValue> e : new TreeMap<>(item).entrySet()) {
      out.append(comma);
      quote(out, e.getKey());
      out.append(':');
      write(out, e.getValue());
      comma = ",";
    }
    out.append('}');
  }

  private static void write(StringBuilder out, AttributeValue v) {
    switch (v.type()) {
      case S -> member(out, "S", () -> quote(out, v.s()));
      case N -> member(out, "N", () -> quote(out, v.n()));
      case B -> member(out, "B", () -> quote(out, base64(v.b())));
      case BOOL -> member(out, "BOOL", () -> out.append(v.bool()));
      case NUL -> member(out, "NULL", () -> out.append(v.nul()));
      case SS -> member(out, "SS", () -> list(out, v.ss(), s -> quote(out, s)));
      case NS -> member(out, "NS", () -> list(out, v.ns(), s -> quote(out, s)));
      case BS -> member(out, "BS", () -> list(out, v.bs(), s -> quote(out, base64(s))));
      case L -> member(out, "L", () -> list(out, v.l(), s -> write(out, s)));
      case M -> member(out, "M", () -> write(out, v.m()));
      default -> throw new IllegalArgumentException("value of unknown type");
    }
  }

  private static String base64(SdkBytes b) {
    return Base64.getEncoder().encodeToString(b.asByteArray());
  }

  private static void member(StringBuilder out, String type, Runnable value) {
    out.append("{\"").append(type).append("\":");
    value.run();
    out.append('}');
  }

  private static <T> void list(StringBuilder out, List<T> values, java.util.function.Consumer<T> each) {
    out.append('[');
    for (T v : new ArrayList<>(values)) {
      if (out.charAt(out.length() - 1) != '[') {
        out.append(',');
      }
      each.accept(v);
    }
    out.append(']');
  }

  static void quote(StringBuilder out, String s) {
    out.append('"');
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < 0x20 || c > 0x7e) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
