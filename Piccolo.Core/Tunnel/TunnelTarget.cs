using System.Collections.Immutable;

namespace Piccolo.Core.Tunnel;

/// <summary>Where the tunnel leads and which names it claims there. The text form never shows the secret.</summary>
public sealed record TunnelTarget(Uri Endpoint, string DeviceSecret, ImmutableSortedSet<string> Hostnames)
{
    /// <summary>Whether the same relay would know us by the same secret: then only the names differ, and streams need not be cut.</summary>
    public bool HasSameRelay(TunnelTarget other) => Endpoint == other.Endpoint && DeviceSecret == other.DeviceSecret;

    public bool Equals(TunnelTarget? other) => other is not null && HasSameRelay(other) && Hostnames.SetEquals(other.Hostnames);

    public override int GetHashCode() => HashCode.Combine(Endpoint, DeviceSecret, Hostnames.Count);

    public override string ToString() => $"{Endpoint} ({Hostnames.Count} names)";
}
