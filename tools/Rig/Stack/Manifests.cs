namespace Piccolo.Rig.Stack;

/// <summary>What the demo installs.</summary>
public static class Manifests
{
    /// <summary>One listener whose TLS ends on the device, and one whose TLS is the app's own.</summary>
    public static string Web(string image) => $"""
        name: web
        image: {image}
        listeners:
          - name: web
            guest_port: 8080
            flow: tcp
            protocol: http
          - name: raw
            guest_port: 8443
            flow: tls
            protocol: raw
        """;

    /// <summary>Two services: notes on the web, and the database that keeps them in a sealed volume under a generated password.</summary>
    public static string Notes(string image, string database) => $$"""
        name: notes
        services:
          web:
            image: {{image}}
            environment:
              NOTES_DB_HOST: db
              NOTES_DB_PASSWORD: "${secret.db}"
              NOTES_URL: "${listener.notes.url}"
            depends_on: { db: healthy }
          db:
            image: {{database}}
            environment: { POSTGRES_PASSWORD: "${secret.db}" }
            mounts: { /var/lib/postgresql/data: db }
            healthcheck:
              command: [pg_isready, -h, 127.0.0.1, -U, postgres]
              interval: 5s
              start_period: 60s
        listeners:
          - name: notes
            service: web
            guest_port: 8080
            protocol: http
        storage:
          persistent:
            db: { size_limit: 2GB }
        secrets:
          db: { generate: alnum, length: 32 }
        """;

    public static string Second(string image) => $"""
        name: second
        image: {image}
        listeners:
          - name: second
            guest_port: 8080
            flow: tcp
            protocol: http
        """;
}
