using System.Net;

namespace Piccolo.Core.Remote.Dns;

/// <summary>Who is asked for names: the system's resolvers, one DNS server, or nobody because every name has the same address.</summary>
internal abstract record ResolverChoice
{
    private const int DnsPort = 53;
    private const string FixedPrefix = "fixed:";

    public sealed record SystemResolver : ResolverChoice;

    public sealed record Server(IPEndPoint EndPoint) : ResolverChoice;

    public sealed record Fixed(IPAddress Address) : ResolverChoice;

    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ResolverChoice? choice)
    {
        var trimmed = text?.Trim() ?? "";
        choice = trimmed.Length == 0 ? new SystemResolver()
            : trimmed.StartsWith(FixedPrefix, StringComparison.OrdinalIgnoreCase)
                ? IPAddress.TryParse(trimmed[FixedPrefix.Length..], out var address) ? new Fixed(address) : null
            : IPEndPoint.TryParse(trimmed, out var server) ? new Server(server.Port == 0 ? new IPEndPoint(server.Address, DnsPort) : server)
            : null;
        return choice is not null;
    }
}
