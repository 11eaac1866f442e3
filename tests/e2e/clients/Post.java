import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Post LIBRARY URL NAME=VALUE... - sends the signal as java.net.http does; see test_clients.py. */
class Post {
    // As it is by default, so it asks for HTTP/2.
    static final HttpClient CLIENT = HttpClient.newHttpClient();
    static final Map<String, String> SIGNAL = new LinkedHashMap<>();

    static Map<String, String> named(String name) {
        Map<String, String> all = new LinkedHashMap<>(SIGNAL);
        all.put("messageId", name);
        return all;
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    static String json(String name) {
        return named(name).entrySet().stream()
            .map(each -> quoted(each.getKey()) + ": " + quoted(each.getValue()))
            .collect(Collectors.joining(", ", "{", "}"));
    }

    static String form(String name) {
        return named(name).entrySet().stream()
            .map(each -> each.getKey() + "="
                + URLEncoder.encode(each.getValue(), StandardCharsets.UTF_8))
            .collect(Collectors.joining("&"));
    }

    static String several(String name, int count, String between) {
        return IntStream.rangeClosed(1, count).mapToObj(number -> json(name + "-" + number))
            .collect(Collectors.joining(between));
    }

    static void post(String url, String type, BodyPublisher body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", type)
            .header("X-Source", "java").POST(body).build();
        HttpResponse<String> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 202)
            throw new Exception(answer.body());
    }

    public static void main(String[] arguments) throws Exception {
        String url = arguments[1];
        for (int at = 2; at < arguments.length; at++) {
            String[] pair = arguments[at].split("=", 2);
            SIGNAL.put(pair[0], pair[1]);
        }
        byte[] lines = several("stream", 2, "\n").getBytes(StandardCharsets.UTF_8);
        post(url, "application/json", BodyPublishers.ofString(json("json")));
        post(url + "/batch", "application/json",
            BodyPublishers.ofString("[" + several("batch", 3, ",") + "]"));
        post(url, "application/x-www-form-urlencoded", BodyPublishers.ofString(form("form")));
        post(url + "/batch", "application/x-ndjson",
            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(lines)));
    }
}
