using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Origin;

namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>What an app is told of its client: true, whatever the client said. The same for all requests of a connection to one host, so made once.</summary>
internal sealed class ForwardedFields
{
    private static readonly object Kept = new();

    private readonly byte[] _lines;

    public ForwardedFields(IPAddress? client, string? host, string scheme)
    {
        (Host, Scheme) = (host, scheme);
        Client = client?.ToString();
        Forwarded = Describe(client, host, scheme);
        var lines = new StringBuilder();
        if (Client is not null) lines.Append("X-Forwarded-For: ").Append(Client).Append("\r\nX-Real-IP: ").Append(Client).Append("\r\n");
        lines.Append("X-Forwarded-Proto: ").Append(scheme).Append("\r\n");
        if (host is not null) lines.Append("X-Forwarded-Host: ").Append(host).Append("\r\n");
        lines.Append("Forwarded: ").Append(Forwarded).Append("\r\n");
        _lines = Encoding.Latin1.GetBytes(lines.ToString());
    }

    /// <value>Null when the relay told no address that can be true.</value>
    public string? Client { get; }

    /// <summary>As the client asked for it, its port included.</summary>
    public string? Host { get; }

    public string Scheme { get; }

    /// <summary>The value of Forwarded (RFC 7239).</summary>
    public string Forwarded { get; }

    /// <summary>All of the fields as they stand in a head.</summary>
    public ReadOnlySpan<byte> Lines => _lines;

    /// <summary>Of a request, kept with its connection.</summary>
    public static ForwardedFields Of(HttpContext context)
    {
        var request = context.Request;
        var host = RequestHost.ValueOf(request);
        var origin = context.Features.GetRequiredFeature<IConnectionOriginFeature>();
        var kept = context.Features.GetRequiredFeature<IConnectionItemsFeature>().Items;
        if (kept.TryGetValue(Kept, out var value) && value is ForwardedFields known && known.Host == host && known.Scheme == request.Scheme) return known;
        var fields = new ForwardedFields(origin.ClientEndPoint?.Address, host, request.Scheme);
        kept[Kept] = fields;
        return fields;
    }

    /// <summary>RFC 7239, 4 and 6: an IPv6 address is bracketed and quoted, a host with a port is quoted.</summary>
    private static string Describe(IPAddress? client, string? host, string scheme)
    {
        var parts = new List<string>(3);
        if (client is not null) parts.Add(client.AddressFamily == AddressFamily.InterNetworkV6 ? $"for=\"[{client}]\"" : $"for={client}");
        if (host is not null) parts.Add($"host=\"{host.Replace("\\", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal)}\"");
        parts.Add($"proto={scheme}");
        return string.Join(';', parts);
    }
}
