using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Hub;

/// <summary>What a session may do: the claims of its token, normalised and judged.</summary>
internal sealed record SessionGrant
{
    /// <summary>Sorted and without duplicates, so that sets compare as sequences.</summary>
    public required IReadOnlyList<string> Hostnames { get; init; }

    public required IReadOnlyList<int> TcpPorts { get; init; }

    public required IReadOnlyList<UdpRouteClaim> UdpRoutes { get; init; }

    public required IReadOnlyList<int> OutboundPorts { get; init; }

    public required bool OutboundAllowed { get; init; }

    public required int Weight { get; init; }

    public int ReauthIntervalSeconds { get; init; }

    public int ReauthGraceSeconds { get; init; }

    /// <summary>The keys under which the session joins the pools.</summary>
    public IEnumerable<string> RouteKeys => Hostnames.Concat(TcpPorts.Select(Nexus.TcpKey));

    /// <summary>The sentence that names the first routing claim in which the other differs, or null.</summary>
    public string? DifferenceFrom(SessionGrant other, string with)
    {
        if (!Hostnames.SequenceEqual(other.Hostnames)) return $"attested token hostnames differ from {with}";
        if (!TcpPorts.SequenceEqual(other.TcpPorts)) return $"attested token tcp port claims differ from {with}";
        if (!UdpRoutes.SequenceEqual(other.UdpRoutes)) return $"attested token udp route claims differ from {with}";
        if (OutboundAllowed != other.OutboundAllowed) return $"attested token outbound_allowed differs from {with}";
        return OutboundPorts.SequenceEqual(other.OutboundPorts) ? null : $"attested token outbound port claims differ from {with}";
    }
}
