using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Health;

/// <summary>
/// Holds the latest time known to have passed: the newest of the build's date, the last saved time and the newest certificate's start. A clock that says an
/// earlier time was reset (no battery, no network yet), and what follows from dates is not to be believed. Thread-safe.
/// </summary>
public sealed class ClockFloor
{
    /// <summary>How far a clock may be corrected backwards without being called wrong.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>How often the time is saved.</summary>
    public static readonly TimeSpan SaveInterval = TimeSpan.FromHours(1);

    private const int MaxFileBytes = 64;

    private readonly string _file;
    private readonly TimeProvider _time;
    private readonly ILogger<ClockFloor> _logger;
    private readonly Lock _gate = new();
    private DateTimeOffset _floor;
    private string _source;
    private DateTimeOffset _saved;
    private bool _wrong;

    /// <param name="built">When this build was made.</param>
    public ClockFloor(StatePaths paths, DateTimeOffset built, TimeProvider time, ILogger<ClockFloor> logger)
    {
        (_file, _time, _logger) = (paths.Clock, time, logger);
        (_floor, _source) = (built, "the date of this version");
        AtomicFile.DeleteLeftovers(_file);
        _saved = Read(_file) ?? DateTimeOffset.MinValue;
        Raise(_saved, "the last saved time");
    }

    /// <summary>The latest time known to have passed.</summary>
    public DateTimeOffset Floor
    {
        get
        {
            lock (_gate) return _floor;
        }
    }

    /// <summary>Whether the clock says a time that has long passed.</summary>
    public bool IsWrong => IsBefore(_time.GetUtcNow());

    /// <summary>Takes notice of a moment that somebody else's clock vouches for, such as the start of a certificate.</summary>
    public void Observe(DateTimeOffset moment) => Raise(moment, "the start of a certificate");

    /// <summary>Looks at the clock, says so when that has changed, and saves the time when it is due.</summary>
    public void Check(HealthTracker health)
    {
        var now = _time.GetUtcNow();
        var wrong = IsBefore(now);
        if (wrong)
        {
            health.Degraded(
                HealthComponents.Clock,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the clock is behind: it says {now:u}, but it must be later than {Floor:u} ({_source}). Set the date, or wait for time synchronisation."));
        }
        else health.Ok(HealthComponents.Clock, "the clock is plausible");
        lock (_gate)
        {
            if (wrong && !_wrong) _logger.ClockWrong(now, _floor, _source);
            if (!wrong && _wrong) _logger.ClockRight(now);
            _wrong = wrong;
        }
        if (!wrong && now - _saved >= SaveInterval) Save();
    }

    /// <summary>Saves the time, unless the clock is wrong: the file never goes back.</summary>
    public void Save()
    {
        var now = _time.GetUtcNow();
        if (now < Floor) return;
        try
        {
            AtomicFile.Write(_file, Encoding.ASCII.GetBytes(now.ToString("O", CultureInfo.InvariantCulture)));
            _saved = now;
            Raise(now, "the last saved time");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.ClockNotSaved(_file, e.Message);
        }
    }

    private bool IsBefore(DateTimeOffset now) => now < Floor - Tolerance;

    private void Raise(DateTimeOffset moment, string source)
    {
        lock (_gate)
        {
            if (moment > _floor) (_floor, _source) = (moment, source);
        }
    }

    /// <returns>Null where there is no file, or one that is not ours: then the other witnesses remain.</returns>
    private static DateTimeOffset? Read(string file)
    {
        try
        {
            if (new FileInfo(file) is not { Exists: true, Length: <= MaxFileBytes }) return null;
            using var reader = new StreamReader(StateFile.OpenRead(file), Encoding.ASCII);
            return DateTimeOffset.TryParseExact(reader.ReadToEnd().Trim(), "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var saved)
                ? saved.ToUniversalTime()
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
