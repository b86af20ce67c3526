namespace Piccolo.Api.Ingress.Origin;

/// <summary>
/// The host that a request asks for, in the form that it has on the wire: A-labels (RFC 5890). <see cref="HttpRequest.Host"/> decodes them, which never equals
/// what certificates and routes hold, and throws for a malformed one. Pure.
/// </summary>
internal static class RequestHost
{
    /// <summary>As the client wrote it, its port included; null when it named none.</summary>
    public static string? ValueOf(HttpRequest request) => request.Headers.Host is [{ Length: > 0 } host, ..] ? host : null;

    /// <summary>Lower case, without a port and a trailing dot; empty when the client named none. An IPv6 address keeps its brackets.</summary>
    public static string NameOf(HttpRequest request)
    {
        var value = ValueOf(request) ?? "";
        var colon = value.LastIndexOf(':');
        return HostAllowList.Normalise(colon > value.LastIndexOf(']') ? value[..colon] : value);
    }
}
