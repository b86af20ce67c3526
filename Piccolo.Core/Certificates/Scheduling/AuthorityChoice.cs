using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>Which CA and which kind of challenge the next attempt uses. Pure.</summary>
internal static class AuthorityChoice
{
    /// <summary>For short-lived certificates the second CA is asked after this share of the lifetime at the latest.</summary>
    private const double LongestShare = 1.0 / 10;

    /// <summary>When the second CA may be asked; null while there is none or the first is not at fault.</summary>
    /// <param name="lifetime">Of the certificate that is held, if any.</param>
    public static DateTimeOffset? SecondAt(AttemptRecord? attempt, int authorities, FallbackOptions fallback, TimeSpan? lifetime)
    {
        if (authorities < 2 || attempt is not { FailingSince: { } since, LastError: { } error } || !IsFaultOfTheCa(error.Class)) return null;
        var after = lifetime * LongestShare is { } share && share < fallback.After ? share : fallback.After;
        return since + after;
    }

    /// <returns>Index of the CA. Once the second may be asked the two take turns: whichever comes back first serves.</returns>
    public static int Next(AttemptRecord? attempt, IReadOnlyList<Uri> directories, FallbackOptions fallback, TimeSpan? lifetime, DateTimeOffset now)
    {
        if (SecondAt(attempt, directories.Count, fallback, lifetime) is not { } at || at > now)
        {
            // An order that is open is finished where it was placed.
            return attempt is { Order.Directory: var open } && directories.Count > 1 && open == directories[1] ? 1 : 0;
        }
        return attempt!.Directory == directories[1] ? 0 : 1;
    }

    /// <summary>The kind of challenge to answer: the other one after the CA could not reach the port of the last.</summary>
    public static string Challenge(string configured, AttemptRecord? attempt) => configured switch
    {
        AcmeOptions.Auto when attempt is { LastError.Code: "challenge_connection" or "challenge_tls", Challenge: AcmeOptions.Http01 } => AcmeOptions.TlsAlpn01,
        AcmeOptions.Auto => AcmeOptions.Http01,
        _ => configured,
    };

    private static bool IsFaultOfTheCa(AcmeFailureClass failure) => failure
        is AcmeFailureClass.Network or AcmeFailureClass.CaUnavailable or AcmeFailureClass.RateLimited or AcmeFailureClass.Account
        or AcmeFailureClass.BadResponse or AcmeFailureClass.RejectedName or AcmeFailureClass.RefusedRequest;
}
