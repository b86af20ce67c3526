using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Manifest.Reading;

/// <summary>The fields of a listener.</summary>
internal static class ListenerFields
{
    public static readonly FieldTable<ListenerDraft> Table = new FieldTable<ListenerDraft>()
        .With("name", new TextShape { Pattern = ManifestPatterns.Label, Examples = ["notes"] }, (l, value) => l.Name = value,
            "The name from outside, unique on the device.")
        .With("service", new TextShape { Pattern = ManifestPatterns.Label, Examples = ["web"] }, (l, value) => l.Service = value,
            "The service that it leads to; needed where there is more than one.")
        .With("guest_port", new NumberShape(1, 65535), (l, value) => l.GuestPort = value, "Inside the container.")
        .With("flow", new TextShape { Words = ["tcp", "tls"] }, (l, value) => l.Flow = value,
            "tcp (default): TLS ends on this device. tls: it is passed through to the app.")
        .With("protocol", new TextShape { Words = ["raw", "http", "websocket", "grpc"] }, (l, value) => l.Protocol = value,
            "What the app speaks behind the TLS that ends here; raw without it.")
        .With("remote_ports", new ListShape<int>(new NumberShape(1, 65535), ManifestLimits.RemotePorts, min: 1), (l, value) => l.RemotePorts = value,
            "The relay's ports at which it answers; 80 and 443 without it.")
        .Into("x-piccolo", new FieldTable<ListenerDraft>(isClosed: true)
            .With("proxy_protocol", new TextShape { Words = ["v2"] }, (l, value) => l.ProxyProtocol = value,
                "A PROXY v2 header with the client's address before the first byte.")
            .With("hsts_max_age", new NumberShape(0, ManifestLimits.HstsAgeSeconds), (l, value) => l.HstsMaxAge = value,
                "For how many seconds browsers insist on https for the public name.")
            .With("health_path", new TextShape { Pattern = "/[!-~]*", MaxLength = ManifestLimits.HealthPathLength, Examples = ["/health"] },
                (l, value) => l.HealthPath = value, "Asked for to see whether the app works.")
            .NotYet("lan", "lan_port"))
        .NotYet("protocol_middleware")
        .Requiring("name", "guest_port");
}
