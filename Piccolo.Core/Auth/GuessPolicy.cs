namespace Piccolo.Core.Auth;

/// <summary>How long an address waits after wrong guesses. Pure.</summary>
public static class GuessPolicy
{
    /// <summary>Wrong attempts that cost nothing: typing errors happen.</summary>
    public const int FreeFailures = 4;

    /// <summary>
    /// Wrong attempts of all addresses of one origin class together, in <see cref="ClassWindow"/>, before the class has to wait: a thousand addresses
    /// guess no faster than this. Not for an address that has given the right password.
    /// </summary>
    public static int MaxFailuresPerOriginClass(bool isLocal) => isLocal ? 60 : 20;

    public static readonly TimeSpan ClassWindow = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan MaxLocalDelay = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan MaxRemoteDelay = TimeSpan.FromMinutes(15);

    /// <summary>After this long without a wrong attempt an address starts over.</summary>
    public static TimeSpan ForgetAfter(bool isLocal) => isLocal ? TimeSpan.FromMinutes(30) : TimeSpan.FromDays(1);

    /// <summary>Nothing at first, then 5 s, doubled with each failure up to a limit.</summary>
    public static TimeSpan DelayAfter(int failures, bool isLocal)
    {
        if (failures < FreeFailures) return TimeSpan.Zero;
        var longest = isLocal ? MaxLocalDelay : MaxRemoteDelay;
        var doublings = Math.Min(failures - FreeFailures, 20);
        var delay = FirstDelay * (1 << doublings);
        return delay < longest ? delay : longest;
    }
}
