using System.Collections.Frozen;
using System.Net;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;

namespace Piccolo.Api.Ingress.Origin;

/// <summary>
/// The names under which portal and API answer in clear text on the LAN. A browser that was led here by a foreign name (DNS rebinding) sends that name, and
/// is refused.
/// </summary>
internal sealed class HostAllowList(IOptions<IngressOptions> options, OriginClassifier classifier)
{
    private readonly FrozenSet<string> _more = options.Value.AllowedHosts.Select(Normalise).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private readonly bool _isOpenOnLanPorts = options.Value.AnyHostOnLanPorts;

    /// <summary>Lower case, without a trailing dot.</summary>
    public static string Normalise(string host) => (host.EndsWith('.') ? host[..^1] : host).ToLowerInvariant();

    /// <param name="host">Normalised, without a port.</param>
    public bool Contains(string host)
    {
        if (host == "localhost" || _more.Contains(host)) return true;
        if (host.EndsWith(".local", StringComparison.Ordinal) && host.Length > ".local".Length) return true;
        return IPAddress.TryParse(host, out var address) && classifier.IsOwn(address);
    }

    /// <summary>
    /// Whether an app may answer under the name on its LAN port, beside its public names. No browser leaves the name out, or can be led here by an address.
    /// </summary>
    /// <inheritdoc cref="Contains"/>
    public bool ContainsOnLanPorts(string host) => _isOpenOnLanPorts || host.Length == 0 || IPAddress.TryParse(host, out _) || Contains(host);
}
