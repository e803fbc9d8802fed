package interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.itemencryptor.DynamoDbItemEncryptor;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.itemencryptor.model.DecryptItemInput;
import software.amazon.cryptography.dbencryptionsdk.dynamodb.itemencryptor.model.EncryptItemInput;
import software.amazon.cryptography.keystore.KeyStore;
import software.amazon.cryptography.keystore.model.CreateKeyInput;
import software.amazon.cryptography.keystore.model.VersionKeyInput;

/**
 * The official library behind the interface of `ddbseal item`: `encrypt` or `decrypt`, `--config FILE`, items as
 * JSON lines. `serve` takes one request a line, {"op":…,"config":…,"item":…}, and answers {"item":…} or
 * {"error":…}, so that a JVM is started and warmed once.
 */
public final class Item {
  private Item() {}

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    boolean serve = args.length == 1 && args[0].equals("serve");
    if (!serve && (args.length != 3 || !args[1].equals("--config"))) {
      System.err.println("usage: serve | encrypt --config FILE | decrypt --config FILE");
      System.exit(2);
    }
    JsonNode fixed = serve ? null : JsonNode.parser().parse(Files.readString(Path.of(args[2])));
    boolean failed = false;
    int number = 0;
    for (String line; (line = in.readLine()) != null; ) {
      number++;
      StringBuilder answer = new StringBuilder();
      try {
        JsonNode request = JsonNode.parser().parse(line);
        if (serve) {
          serve(request.asObject(), answer);
        } else {
          ItemJson.write(answer, run(args[0], fixed, ItemJson.item(request)));
        }
      } catch (Exception | StackOverflowError e) {
        failed = true;
        answer.setLength(0);
        if (serve) {
          answer.append("{\"error\":");
          ItemJson.quote(answer, e.toString());
          answer.append('}');
        } else {
          System.err.println("line " + number + ": " + e);
          continue;
        }
      }
      out.println(answer);
    }
    System.exit(failed && !serve ? 1 : 0);
  }

  private static void serve(Map<String, JsonNode> request, StringBuilder answer) throws Exception {
    String op = request.get("op").asString();
    JsonNode config = request.get("config");
    switch (op) {
      case "create-key", "version-key" -> {
        Map<String, JsonNode> o = config.asObject();
        KeyStore store = Keyrings.keyStore(o);
        String id;
        if (op.equals("create-key")) {
          Map<String, String> context = new HashMap<>();
          o.get("context").asObject().forEach((k, v) -> context.put(k, v.asString()));
          id =
              store
                  .CreateKey(
                      CreateKeyInput.builder()
                          .branchKeyIdentifier(o.get("branchKeyId").asString())
                          .encryptionContext(context)
                          .build())
                  .branchKeyIdentifier();
        } else {
          id = o.get("branchKeyId").asString();
          store.VersionKey(VersionKeyInput.builder().branchKeyIdentifier(id).build());
        }
        answer.append("{\"branchKeyId\":");
        ItemJson.quote(answer, id);
        answer.append('}');
      }
      case "legacy-encrypt" -> {
        answer.append("{\"item\":");
        ItemJson.write(answer, Legacy.encrypt(request));
        answer.append('}');
      }
      case "legacy-create-table" -> {
        MetaStores.createTable(request.get("tableName").asString());
        answer.append("{}");
      }
      case "legacy-rotate" -> {
        JsonNode key = request.get("signingKey");
        MetaStores.rotate(request.get("provider").asObject(), key == null ? null : key.asString());
        answer.append("{}");
      }
      case "bench-encrypt", "bench-decrypt" -> {
        long nanoseconds =
            bench(
                encryptor(config.asObject()),
                op.equals("bench-encrypt"),
                ItemJson.item(request.get("item")),
                Long.parseLong(request.get("milliseconds").asNumber()));
        answer.append("{\"nanoseconds\":").append(nanoseconds).append('}');
      }
      case "table-put" -> {
        Table.put(request.get("tableName").asString(), config, ItemJson.item(request.get("item")));
        answer.append("{}");
      }
      case "table-get" -> {
        answer.append("{\"item\":");
        ItemJson.write(
            answer, Table.get(request.get("tableName").asString(), config, ItemJson.item(request.get("item"))));
        answer.append('}');
      }
      case "table-search" -> {
        String separator = "{\"items\":[";
        for (Map<String, AttributeValue> item :
            Table.search(request.get("tableName").asString(), config, request.get("request").asObject())) {
          ItemJson.write(answer.append(separator), item);
          separator = ",";
        }
        answer.append(separator.equals(",") ? "]}" : separator + "]}");
      }
      default -> {
        answer.append("{\"item\":");
        ItemJson.write(answer, run(op, config, ItemJson.item(request.get("item"))));
        answer.append('}');
      }
    }
  }

  /** Repeats one operation for the given time and returns the mean of its nanoseconds. */
  private static long bench(
      DynamoDbItemEncryptor encryptor, boolean encrypt, Map<String, AttributeValue> item, long milliseconds) {
    long start = System.nanoTime();
    for (long n = 1; ; n++) {
      if (encrypt) {
        encryptor.EncryptItem(EncryptItemInput.builder().plaintextItem(item).build());
      } else {
        encryptor.DecryptItem(DecryptItemInput.builder().encryptedItem(item).build());
      }
      long spent = System.nanoTime() - start;
      if (spent >= milliseconds * 1_000_000) {
        return spent / n;
      }
    }
  }

  private static Map<String, AttributeValue> run(String op, JsonNode config, Map<String, AttributeValue> item) {
    DynamoDbItemEncryptor encryptor = encryptor(config.asObject());
    return switch (op) {
      case "encrypt" -> encryptor.EncryptItem(EncryptItemInput.builder().plaintextItem(item).build()).encryptedItem();
      case "decrypt" -> encryptor.DecryptItem(DecryptItemInput.builder().encryptedItem(item).build()).plaintextItem();
      default -> throw new IllegalArgumentException("unknown operation " + op);
    };
  }

  private static DynamoDbItemEncryptor encryptor(Map<String, JsonNode> o) {
    return DynamoDbItemEncryptor.builder().DynamoDbItemEncryptorConfig(Configs.encryptor(o)).build();
  }
}
