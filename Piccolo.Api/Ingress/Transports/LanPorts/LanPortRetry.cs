namespace Piccolo.Api.Ingress.Transports.LanPorts;

/// <summary>When a port that could not be bound is tried again: after 1 s, then twice as long each time up to 30 s.</summary>
internal sealed record LanPortRetry(int Port, int Attempt, long FailedAt)
{
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private TimeSpan Wait => TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, 1 << Math.Min(Attempt - 1, 10)));

    public static LanPortRetry After(LanPortRetry? before, int port, TimeProvider time) => new(port, (before?.Attempt ?? 0) + 1, time.GetTimestamp());

    public TimeSpan Left(TimeProvider time)
    {
        var left = Wait - time.GetElapsedTime(FailedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    public bool IsDue(TimeProvider time) => Left(time) == TimeSpan.Zero;
}
