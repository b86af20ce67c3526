namespace Piccolo.Api.Ingress.Forwarding;

/// <summary>The target of a request as an app gets it: the client's own characters, whichever form they came in (RFC 9112, 3.2). Pure.</summary>
internal static class RequestTarget
{
    /// <param name="raw">As it stands in the request line, or in <c>:path</c>.</param>
    /// <param name="target">Origin form, or <c>*</c>.</param>
    public static bool TryRead(string raw, string method, out string target)
    {
        target = raw;
        if (raw == "*") return method == HttpMethods.Options;
        if (raw is not ['/', ..])
        {
            // Absolute form: what follows the authority. The server has compared the authority with Host.
            var authority = raw.IndexOf("://", StringComparison.Ordinal) + 3;
            if (authority < 3 || raw.IndexOf('/') < authority - 2) return false;
            var end = raw.AsSpan(authority).IndexOfAny('/', '?');
            target = end < 0 ? "" : raw[(authority + end)..];
            // An OPTIONS for a server as a whole has no path (RFC 9112, 3.2.4).
            if (target.Length == 0 && method == HttpMethods.Options)
            {
                target = "*";
                return true;
            }
            if (target is not ['/', ..]) target = "/" + target;
        }
        return ForwardingRules.IsPlainTarget(target);
    }
}
