namespace Piccolo.Core.Certificates.Acme;

/// <summary>How long to wait before the CA is asked again whether it is done. Pure.</summary>
internal static class AcmePolling
{
    /// <summary>A CA on the same machine is done by then; one far away is asked again soon after.</summary>
    public static readonly TimeSpan First = TimeSpan.FromMilliseconds(40);

    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>Longer than this no CA may hold up one order.</summary>
    public static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(1);

    public const int MaxPolls = 200;

    /// <param name="poll">0 before the first poll.</param>
    /// <param name="retryAfter">What the last answer asked for: it goes before our own table.</param>
    public static TimeSpan DelayBefore(int poll, TimeSpan? retryAfter)
    {
        if (retryAfter is { } asked) return asked < First ? First : asked > LongestAsked ? LongestAsked : asked;
        return poll >= 8 ? Longest : TimeSpan.FromTicks(First.Ticks << poll);
    }
}
