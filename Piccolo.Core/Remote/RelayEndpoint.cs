namespace Piccolo.Core.Remote;

/// <summary>What may be configured as a relay's hub.</summary>
public static class RelayEndpoint
{
    /// <param name="allowClearLoopback">Lets <c>ws://</c> to a literal loopback address pass, for Development.</param>
    public static bool TryParse(string? text, bool allowClearLoopback, out Uri? endpoint)
    {
        endpoint = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0) return false;
        if (uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0) return false;
        if (uri.Scheme != "wss" && !(uri.Scheme == "ws" && allowClearLoopback && (uri.Host is "127.0.0.1" or "[::1]" or "localhost"))) return false;
        endpoint = uri;
        return true;
    }
}
