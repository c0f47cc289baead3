// Sends three POSTs and a GET with the default settings of Java's HttpClient, which offers HTTP/2 on plain HTTP.
// Usage: java JavaClient.java BASE_URL KEY. Prints each status with the version of HTTP that was used.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.io.ByteArrayInputStream;

public class JavaClient {
    public static void main(String[] arguments) throws Exception {
        var client = HttpClient.newHttpClient();
        for (int number = 1; number <= 3; number++) {
            var body = ("{\"name\": \"Java " + number + "\", \"type\": \"on_demand\"}").getBytes();
            // The third body has no Content-Length: Java sends it in chunks.
            var publisher = number < 3
                ? BodyPublishers.ofByteArray(body)
                : BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
            send(client, request(arguments, "/audiences").header("Content-Type", "application/json").POST(publisher));
        }
        send(client, request(arguments, "/audiences?limit=1").GET());
    }

    static HttpRequest.Builder request(String[] arguments, String path) {
        return HttpRequest.newBuilder(URI.create(arguments[0] + path))
            .header("Authorization", "Bearer " + arguments[1]);
    }

    static void send(HttpClient client, HttpRequest.Builder request) throws Exception {
        var answer = client.send(request.build(), BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.version());
    }
}
