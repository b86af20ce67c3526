using System.Net;
using System.Net.Sockets;

namespace Piccolo.Core.Tunnel.Wire;

/// <summary>Which relay endpoints are usable, and what they mean.</summary>
public static class RelayEndpoint
{
    private const string HubPath = "/connect";

    /// <summary>Adds the hub's path where none is given.</summary>
    /// <param name="allowInsecureLoopback">Lets <c>ws://</c> pass to a loopback host, and to no other.</param>
    /// <returns>The problem in words, or null when <paramref name="normal"/> may be dialled.</returns>
    public static string? Check(Uri endpoint, bool allowInsecureLoopback, out Uri normal)
    {
        normal = endpoint;
        if (!endpoint.IsAbsoluteUri) return "The endpoint is not an absolute address.";
        if (endpoint.Scheme != "wss" && !(endpoint.Scheme == "ws" && allowInsecureLoopback && IsLoopbackHost(endpoint)))
            return "The endpoint must begin with wss://.";
        if (endpoint.Host.Length == 0) return "The endpoint has no host.";
        if (endpoint.UserInfo.Length > 0) return "The endpoint must not contain a user name or password.";
        if (endpoint.Fragment.Length > 0) return "The endpoint must not contain a fragment.";
        if (endpoint.AbsolutePath is "/" or "") normal = new UriBuilder(endpoint) { Path = HubPath }.Uri;
        return null;
    }

    private static bool IsLoopbackHost(Uri endpoint)
    {
        if (endpoint.Host == "localhost") return true;
        if (!IPAddress.TryParse(endpoint.DnsSafeHost, out var address)) return false;
        return address.AddressFamily == AddressFamily.InterNetwork ? address.GetAddressBytes()[0] == 127 : address.Equals(IPAddress.IPv6Loopback);
    }
}
