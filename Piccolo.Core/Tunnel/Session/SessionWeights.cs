using System.Globalization;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// The relay splits the new users of a name among its sessions by weight, has no way to lower one, and keeps a session whose way died without a word for a
/// minute: nobody answers the users that it gets. So each session outweighs every one that may still be there, also one of before a power cut.
/// </summary>
/// <param name="file">Where the weight outlives the process; null for tests of parts.</param>
internal sealed class SessionWeights(string? file, TimeProvider time, ILogger logger)
{
    private const long Step = 32;

    /// <summary>
    /// Above a session that lives. It serves what it still gets, and when both are lost, the relay first goes down to the next round of its weights: in each
    /// step on that way the dead one gets a user as well as the new one, and there are as many steps as this.
    /// </summary>
    private const long NameChangeStep = 4;

    /// <summary>
    /// A relay whose heaviest session leaves counts down to the others, one by one in the worst case, with a lock held: more than this would be noticed.
    /// </summary>
    private const long MaxWeight = 1 << 25;

    /// <summary>Changes of names alone go no further and start over: a loss must find a step above.</summary>
    private const long MaxNameChangeWeight = MaxWeight / Step;

    /// <summary>
    /// The relay's own limit is a minute without a sign of life, of which a part is over when we notice; the rest is for clocks and schedulers.
    /// </summary>
    private static readonly TimeSpan StaleSessionLifetime = TimeSpan.FromSeconds(75);

    private const int MaxDigits = 20;

    private readonly long _began = time.GetTimestamp();
    private long _staleWeight = file is null ? 0 : Read(file);
    private long? _lostAt;

    /// <summary>The heaviest session that may be dead and still in the relay's pools; 0 without any.</summary>
    private long StaleWeight => time.GetElapsedTime(_lostAt ?? _began) < StaleSessionLifetime ? _staleWeight : 0;

    /// <param name="living">The weight of the heaviest session that the new one overlaps; 0 without any.</param>
    public long Next(long living)
    {
        if (StaleWeight > 0) return Math.Min(Math.Max(living, StaleWeight) * Step, MaxWeight);
        return living is 0 or >= MaxNameChangeWeight ? 1 : living * NameChangeStep;
    }

    /// <summary>A session with this weight is in the pools.</summary>
    public void SessionOpened(long weight)
    {
        if (file is null) return;
        try
        {
            AtomicFile.Write(file, System.Text.Encoding.ASCII.GetBytes(Math.Max(weight, StaleWeight).ToString(CultureInfo.InvariantCulture)));
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            logger.WeightNotKept(unwritable.Message);
        }
    }

    /// <summary>The way of a session was lost; the relay may not know.</summary>
    public void SessionLost(long weight) => (_staleWeight, _lostAt) = (Math.Max(weight, StaleWeight), time.GetTimestamp());

    /// <summary>Every session has said goodbye.</summary>
    public void AllClosed()
    {
        if (file is null || StaleWeight > 0) return;
        try
        {
            File.Delete(file);
        }
        catch (Exception undeletable) when (undeletable is IOException or UnauthorizedAccessException)
        {
            logger.WeightNotKept(undeletable.Message);
        }
    }

    private static long Read(string file)
    {
        try
        {
            AtomicFile.DeleteLeftovers(file);
            if (!File.Exists(file)) return 0;
            using var stream = StateFile.OpenRead(file);
            Span<byte> digits = stackalloc byte[MaxDigits];
            var length = stream.ReadAtLeast(digits, MaxDigits, throwOnEndOfStream: false);
            return long.TryParse(digits[..length], NumberStyles.None, CultureInfo.InvariantCulture, out var weight) ? Math.Min(weight, MaxWeight) : 0;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // It only shortens a minute after a power cut.
            return 0;
        }
    }
}
