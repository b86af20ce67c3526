using System.Text.Json;

namespace Piccolo.DevRelay.Hub;

/// <summary>What a token says, its types checked and its values not yet judged.</summary>
internal sealed record TokenClaims
{
    public string? Issuer { get; private init; }

    public IReadOnlyList<string> Audience { get; private init; } = [];

    public double? ExpiresAt { get; private init; }

    public double? NotBefore { get; private init; }

    public double? IssuedAt { get; private init; }

    public IReadOnlyList<string> Hostnames { get; private init; } = [];

    public IReadOnlyList<int> TcpPorts { get; private init; } = [];

    public IReadOnlyList<UdpRouteClaim> UdpRoutes { get; private init; } = [];

    public int Weight { get; private init; }

    public string SessionNonce { get; private init; } = "";

    public int HandshakeMaxAgeSeconds { get; private init; }

    public int ReauthIntervalSeconds { get; private init; }

    public int ReauthGraceSeconds { get; private init; }

    public int? MaintenanceGraceCapSeconds { get; private init; }

    public string AuthorizerStatusUri { get; private init; } = "";

    public bool OutboundAllowed { get; private init; }

    public IReadOnlyList<int> AllowedOutboundPorts { get; private init; } = [];

    /// <summary>Unknown claims are ignored, names match in any case, null counts as absent; a wrong type in a known claim refuses the token.</summary>
    /// <returns>The name of the first claim of a wrong type in <paramref name="wrong"/>.</returns>
    public static TokenClaims? Read(JsonElement json, out string? wrong)
    {
        wrong = null;
        var claims = new TokenClaims();
        foreach (var claim in json.EnumerateObject())
        {
            if (claim.Value.ValueKind is JsonValueKind.Null) continue;
            try
            {
                claims = With(claims, claim.Name.ToLowerInvariant(), claim.Value);
            }
            catch (Exception e) when (e is InvalidOperationException or FormatException)
            {
                wrong = claim.Name;
                return null;
            }
        }

        return claims;
    }

    private static TokenClaims With(TokenClaims claims, string name, JsonElement value) => name switch
    {
        "iss" => claims with { Issuer = value.GetString() },
        "aud" => claims with { Audience = value.ValueKind is JsonValueKind.String ? [value.GetString()!] : Texts(value) },
        "exp" => claims with { ExpiresAt = value.GetDouble() },
        "nbf" => claims with { NotBefore = value.GetDouble() },
        "iat" => claims with { IssuedAt = value.GetDouble() },
        "hostnames" => claims with { Hostnames = Texts(value) },
        "tcp_ports" => claims with { TcpPorts = Numbers(value) },
        "udp_routes" => claims with { UdpRoutes = [.. value.EnumerateArray().Select(UdpRouteClaim.Read)] },
        "weight" => claims with { Weight = value.GetInt32() },
        "session_nonce" => claims with { SessionNonce = value.GetString()! },
        "handshake_max_age_seconds" => claims with { HandshakeMaxAgeSeconds = value.GetInt32() },
        "reauth_interval_seconds" => claims with { ReauthIntervalSeconds = value.GetInt32() },
        "reauth_grace_seconds" => claims with { ReauthGraceSeconds = value.GetInt32() },
        "maintenance_grace_cap_seconds" => claims with { MaintenanceGraceCapSeconds = value.GetInt32() },
        "authorizer_status_uri" => claims with { AuthorizerStatusUri = value.GetString()! },
        "outbound_allowed" => claims with { OutboundAllowed = value.GetBoolean() },
        "allowed_outbound_ports" => claims with { AllowedOutboundPorts = Numbers(value) },
        "sub" or "jti" or "policy_version" or "issued_at_quote" => OnlyText(claims, value),
        _ => claims,
    };

    private static TokenClaims OnlyText(TokenClaims claims, JsonElement value)
    {
        value.GetString();
        return claims;
    }

    private static string[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetString() ?? "")];

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt32())];
}

/// <summary>A claimed UDP port and how long its idle flows live; 0 means the relay's default.</summary>
internal readonly record struct UdpRouteClaim(int Port, int FlowIdleTimeoutSeconds)
{
    public static UdpRouteClaim Read(JsonElement json)
    {
        var route = default(UdpRouteClaim);
        foreach (var member in json.EnumerateObject())
        {
            if (member.Value.ValueKind is JsonValueKind.Null) continue;
            if (member.Name.Equals("port", StringComparison.OrdinalIgnoreCase)) route = route with { Port = member.Value.GetInt32() };
            if (member.Name.Equals("flow_idle_timeout_seconds", StringComparison.OrdinalIgnoreCase))
                route = route with { FlowIdleTimeoutSeconds = member.Value.GetInt32() };
        }

        return route;
    }
}
