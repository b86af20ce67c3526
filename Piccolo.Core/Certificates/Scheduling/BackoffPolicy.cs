using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Scheduling;

/// <summary>
/// How long to wait after a failure of each class. The tables end in a wait that repeats: there is no state from which no attempt follows. Pure.
/// </summary>
internal static class BackoffPolicy
{
    /// <summary>Waits are lengthened by up to this share, so that many appliances do not all act at once.</summary>
    public const double Jitter = 0.25;

    /// <summary>No wait of ours is longer, whatever the class; only a CA's own Retry-After may be. With the jitter it is still within a day.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(19);

    private static readonly TimeSpan[] Network =
        [Seconds(5), Seconds(15), Seconds(30), Minutes(1), Minutes(2), Minutes(5), Minutes(10), Minutes(20), Minutes(30)];
    private static readonly TimeSpan[] CaUnavailable = [Seconds(30), Minutes(1), Minutes(2), Minutes(5), Minutes(10), Minutes(20), Hours(1)];
    private static readonly TimeSpan[] RateLimited = [Minutes(15), Minutes(30), Hours(1), Hours(2), Hours(6)];

    // Public CAs allow five failed validations per name and hour: the first five attempts take more than one, whatever the reason.
    private static readonly TimeSpan[] ChallengeFailed = [Seconds(10), Minutes(2), Minutes(15), Minutes(45), Hours(1), Hours(3), Hours(6)];

    // A record that was just made is not everywhere at once.
    private static readonly TimeSpan[] ChallengeDns = [Minutes(1), Minutes(5), Minutes(15), Minutes(45), Hours(1), Hours(3), Hours(6)];

    // A tunnel or a router that restarts is back soon; the other kind of challenge is tried next anyway.
    private static readonly TimeSpan[] ChallengeConnection = [Seconds(5), Minutes(2), Minutes(10), Minutes(50), Hours(1), Hours(3), Hours(6)];

    // Somebody else answers for the name: nothing that heals by itself.
    private static readonly TimeSpan[] ChallengeWrongAnswer = [Seconds(30), Minutes(5), Minutes(30), Hours(1), Hours(3), Hours(6), Hours(12)];
    private static readonly TimeSpan[] ChallengeCaa = [Minutes(5), Minutes(30), Hours(1), Hours(6), Longest];
    private static readonly TimeSpan[] RejectedName = [Hours(1), Hours(6), Longest];
    private static readonly TimeSpan[] Account = [Minutes(5), Minutes(30), Hours(2), Hours(6), Longest];
    private static readonly TimeSpan[] BadResponse = [Minutes(1), Minutes(5), Minutes(15), Hours(1), Hours(6)];
    private static readonly TimeSpan[] RefusedRequest = [Minutes(5), Hours(1), Hours(6), Longest];
    private static readonly TimeSpan[] BadCsr = [Minutes(5), Hours(1), Hours(12), Longest];

    // The clock is set soon after a start, or not at all.
    private static readonly TimeSpan[] Clock = [Seconds(20), Minutes(1), Minutes(5), Minutes(15), Hours(1)];
    private static readonly TimeSpan[] Internal = [Minutes(1), Minutes(5), Minutes(30), Hours(2), Hours(6)];
    private static readonly TimeSpan[] Interrupted = [Seconds(10), Seconds(30), Minutes(2), Minutes(10), Hours(1)];

    /// <summary>For certificates that live for hours or minutes no wait of ours is longer than this share of the lifetime...</summary>
    public const double LongestShare = 1.0 / 50;

    /// <summary>...but never shorter than this on its account.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);

    /// <param name="consecutive">How many failures of this class came one after the other, this one included.</param>
    /// <param name="retryAfter">What the CA asked for: never less than that.</param>
    /// <param name="random">Between 0 and 1.</param>
    public static TimeSpan WaitAfter(AcmeFailureClass failure, int consecutive, TimeSpan? retryAfter, double random) =>
        WaitAfter(failure, "", consecutive, retryAfter, random, null);

    /// <param name="code">The failure's code: of failed challenges it tells the reason.</param>
    /// <param name="lifetime">Of the certificate that is to be renewed; null for a first one.</param>
    public static TimeSpan WaitAfter(AcmeFailureClass failure, string code, int consecutive, TimeSpan? retryAfter, double random, TimeSpan? lifetime)
    {
        var table = TableOf(failure, code);
        var wait = table[Math.Clamp(consecutive - 1, 0, table.Length - 1)];
        if (lifetime * LongestShare is { } cap && wait > cap) wait = cap > Shortest ? cap : Shortest;
        wait *= 1 + (Jitter * Math.Clamp(random, 0, 1));
        // What the CA names is its own choice, spread already, and bounded where it was read.
        return retryAfter is { } asked && asked > wait ? asked : wait;
    }

    private static TimeSpan[] TableOf(AcmeFailureClass failure, string code) => failure switch
    {
        AcmeFailureClass.Network => Network,
        AcmeFailureClass.CaUnavailable => CaUnavailable,
        AcmeFailureClass.RateLimited => RateLimited,
        AcmeFailureClass.ChallengeFailed => ChallengeTable(code),
        AcmeFailureClass.RejectedName => RejectedName,
        AcmeFailureClass.Account => Account,
        AcmeFailureClass.BadCsr => BadCsr,
        AcmeFailureClass.Clock => Clock,
        AcmeFailureClass.BadResponse => BadResponse,
        AcmeFailureClass.RefusedRequest => RefusedRequest,
        AcmeFailureClass.Interrupted => Interrupted,
        _ => Internal,
    };

    private static TimeSpan[] ChallengeTable(string code) => code switch
    {
        "challenge_dns" or "dns" => ChallengeDns,
        "challenge_connection" or "connection" or "challenge_tls" or "tls" => ChallengeConnection,
        "challenge_incorrect_response" or "incorrect_response" or "challenge_unauthorized" => ChallengeWrongAnswer,
        "challenge_caa" or "caa" => ChallengeCaa,
        _ => ChallengeFailed,
    };

    private static TimeSpan Seconds(int n) => TimeSpan.FromSeconds(n);

    private static TimeSpan Minutes(int n) => TimeSpan.FromMinutes(n);

    private static TimeSpan Hours(int n) => TimeSpan.FromHours(n);
}
