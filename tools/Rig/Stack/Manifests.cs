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
