using System.Globalization;
using Piccolo.DevRelay.Routing;

namespace Piccolo.DevRelay.Hub;

/// <summary>What this relay lets a token claim.</summary>
internal sealed class ClaimRules(RelayOptions options, TimeProvider time)
{
    private const int ShortestFlow = 5;
    private const int LongestFlow = 300;
    private const int DefaultFlow = 30;

    /// <summary>The rules of a handshake token (stage 0).</summary>
    public Checked<SessionGrant> Stage0(TokenClaims claims)
    {
        var grant = Normalize(claims, "stage0");
        if (grant.Value is null || claims.HandshakeMaxAgeSeconds <= 0) return grant;
        if (claims.IssuedAt is not { } issued) return "stage0 token missing iat for handshake_max_age_seconds";
        var age = (time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0) - issued;
        return age <= claims.HandshakeMaxAgeSeconds
            ? grant
            : string.Create(CultureInfo.InvariantCulture, $"stage0 token exceeded handshake_max_age_seconds: age={age:0.###}s");
    }

    /// <summary>The rules of an attested token (stage 1): the nonce, the same claims, a weight that says the same.</summary>
    public Checked<SessionGrant> Stage1(TokenClaims claims, string nonce, SessionGrant stage0)
    {
        var grant = Attested(claims, nonce, stage0, "stage1", "handshake token");
        if (grant.Value is null) return grant;
        return claims.Weight > 0 && claims.Weight != stage0.Weight ? "attested token weight differs from handshake token" : grant;
    }

    /// <summary>The rules of a re-auth token: as stage 1 against the running session, but any weight that is not 0 must be equal.</summary>
    public Checked<SessionGrant> Reauth(TokenClaims claims, string nonce, SessionGrant session)
    {
        var grant = Attested(claims, nonce, session, "reauth", "session");
        if (grant.Value is null) return grant;
        return claims.Weight != 0 && claims.Weight != session.Weight ? "attested token weight differs from session" : grant;
    }

    private Checked<SessionGrant> Attested(TokenClaims claims, string nonce, SessionGrant known, string stage, string with)
    {
        if (claims.SessionNonce != nonce) return $"session nonce mismatch: expected {nonce} got {claims.SessionNonce}";
        var normalized = Normalize(claims, stage);
        if (normalized.Value is not { } grant) return normalized;
        if (grant.DifferenceFrom(known, with) is { } difference) return difference;
        if (claims.MaintenanceGraceCapSeconds < 0) return "maintenance_grace_cap_seconds cannot be negative";
        if (claims.AuthorizerStatusUri.Length > 0)
        {
            if (!Uri.TryCreate(claims.AuthorizerStatusUri, UriKind.Absolute, out var uri)) return "authorizer_status_uri is invalid";
            if (uri.Scheme != Uri.UriSchemeHttps) return "authorizer_status_uri must use https scheme";
            if (uri.Host.Length == 0) return "authorizer_status_uri must include a host";
        }

        return grant with { Weight = known.Weight };
    }

    private Checked<SessionGrant> Normalize(TokenClaims claims, string stage)
    {
        var names = claims.Hostnames.Select(Hostnames.Normalize).Where(n => n.Length > 0).Distinct().Order(StringComparer.Ordinal).ToList();
        if (names.Find(IsReserved) is { } reserved) return $"reserved route key \"{reserved}\" cannot be used as a hostname claim";
        if (RefuseTcp(claims.TcpPorts) is { } tcp) return tcp;
        var flows = claims.UdpRoutes.Select(Clamp).Distinct().OrderBy(r => r.Port).ToList();
        if (RefuseUdp(flows) is { } udp) return udp;
        if (names.Count == 0 && claims.TcpPorts.Count == 0 && flows.Count == 0)
            return claims.Hostnames.Count > 0 ? "no valid hostnames after normalization" : $"{stage} token missing hostnames and port claims";
        // This relay never has outbound enabled.
        if (claims.OutboundAllowed) return "outbound connections are not enabled on this proxy";
        if (claims.AllowedOutboundPorts.Count > 0) return "allowed_outbound_ports requires outbound_allowed";
        return new SessionGrant
        {
            Hostnames = names,
            TcpPorts = [.. claims.TcpPorts.Distinct().Order()],
            UdpRoutes = flows,
            OutboundAllowed = false,
            OutboundPorts = [],
            Weight = Math.Max(1, claims.Weight),
            ReauthIntervalSeconds = Math.Max(0, claims.ReauthIntervalSeconds),
            ReauthGraceSeconds = Math.Max(0, claims.ReauthGraceSeconds),
        };
    }

    private static bool IsReserved(string name) =>
        name.StartsWith("tcp:", StringComparison.Ordinal) || name.StartsWith("udp:", StringComparison.Ordinal);

    private static UdpRouteClaim Clamp(UdpRouteClaim route) => route with
    {
        FlowIdleTimeoutSeconds = route.FlowIdleTimeoutSeconds <= 0 ? DefaultFlow : Math.Clamp(route.FlowIdleTimeoutSeconds, ShortestFlow, LongestFlow),
    };

    private string? RefuseTcp(IReadOnlyList<int> ports)
    {
        foreach (var port in ports)
        {
            if (port is < 1 or > 65_535) return $"tcp port claim {port} is out of range";
            if (!options.AllowedTcpPortClaims.Contains(port)) return $"tcp port claim {port} is not allowed";
        }

        return null;
    }

    private string? RefuseUdp(List<UdpRouteClaim> routes)
    {
        foreach (var route in routes)
        {
            if (route.Port is < 1 or > 65_535) return $"udp port claim {route.Port} is out of range";
            if (!options.AllowedUdpPortClaims.Contains(route.Port)) return $"udp port claim {route.Port} is not allowed";
            if (routes.Count(r => r.Port == route.Port) > 1) return $"conflicting udp route claims for port {route.Port}";
        }

        return null;
    }
}
