using Piccolo.Core.Certificates.Acme;

namespace Piccolo.Core.Certificates;

/// <summary>
/// How long to wait after a failure of each class. The tables end in a wait that repeats: there is no state from which no attempt follows. Pure.
/// </summary>
internal static class BackoffPolicy
{
    /// <summary>Waits are lengthened by up to this share, so that many appliances do not knock together.</summary>
    public const double Jitter = 0.25;

    /// <summary>No wait of ours is longer, whatever the class; only a CA's own Retry-After may be.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private static readonly TimeSpan[] Network = [Seconds(5), Seconds(15), Seconds(30), Minutes(1), Minutes(2), Minutes(5), Minutes(10)];
    private static readonly TimeSpan[] CaUnavailable = [Seconds(30), Minutes(1), Minutes(2), Minutes(5), Minutes(10), Minutes(20), Hours(1)];
    private static readonly TimeSpan[] RateLimited = [Minutes(15), Minutes(30), Hours(1), Hours(2), Hours(6)];

    // Public CAs allow five failed validations per name and hour: the first five attempts take more than one.
    private static readonly TimeSpan[] ChallengeFailed = [Seconds(10), Minutes(2), Minutes(15), Minutes(45), Hours(1), Hours(3), Hours(6)];
    private static readonly TimeSpan[] RejectedName = [Hours(1), Hours(6), Longest];
    private static readonly TimeSpan[] Account = [Minutes(5), Minutes(30), Hours(2), Hours(6), Longest];
    private static readonly TimeSpan[] BadResponse = [Minutes(1), Minutes(5), Minutes(15), Hours(1), Hours(6)];
    private static readonly TimeSpan[] RefusedRequest = [Minutes(5), Hours(1), Hours(6), Longest];
    private static readonly TimeSpan[] Internal = [Minutes(1), Minutes(5), Minutes(30), Hours(2), Hours(6)];
    private static readonly TimeSpan[] Interrupted = [Seconds(10), Seconds(30), Minutes(2), Minutes(10), Hours(1)];

    /// <param name="inRow">How many failures of this class came one after the other, this one included.</param>
    /// <param name="retryAfter">What the CA asked for: never less than that.</param>
    /// <param name="random">Between 0 and 1.</param>
    public static TimeSpan WaitAfter(AcmeFailureClass failure, int inRow, TimeSpan? retryAfter, double random)
    {
        var table = TableOf(failure);
        var wait = table[Math.Clamp(inRow - 1, 0, table.Length - 1)];
        if (retryAfter is { } asked && asked > wait) wait = asked;
        return wait * (1 + (Jitter * Math.Clamp(random, 0, 1)));
    }

    private static TimeSpan[] TableOf(AcmeFailureClass failure) => failure switch
    {
        AcmeFailureClass.Network => Network,
        AcmeFailureClass.CaUnavailable => CaUnavailable,
        AcmeFailureClass.RateLimited => RateLimited,
        AcmeFailureClass.ChallengeFailed => ChallengeFailed,
        AcmeFailureClass.RejectedName => RejectedName,
        AcmeFailureClass.Account => Account,
        AcmeFailureClass.BadResponse => BadResponse,
        AcmeFailureClass.RefusedRequest => RefusedRequest,
        AcmeFailureClass.Interrupted => Interrupted,
        _ => Internal,
    };

    private static TimeSpan Seconds(int n) => TimeSpan.FromSeconds(n);

    private static TimeSpan Minutes(int n) => TimeSpan.FromMinutes(n);

    private static TimeSpan Hours(int n) => TimeSpan.FromHours(n);
}
