namespace Piccolo.Core.Apps;

/// <summary>
/// Until its images are here, a revision has touched nothing of its app, and can be taken back as if nobody had asked for it. Either the app's work goes on or
/// the revision is taken back, never both. Thread-safe.
/// </summary>
internal sealed class FetchGate
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (DateTimeOffset Revision, bool IsTakenBack)> _latest = new(StringComparer.Ordinal);

    /// <summary>The work wants to go on beyond the images.</summary>
    /// <returns>False when the revision was taken back.</returns>
    public bool TryPass(string app, DateTimeOffset revision)
    {
        lock (_gate)
        {
            var known = _latest.GetValueOrDefault(app);
            if (known == (revision, true)) return false;
            if (revision > known.Revision) _latest[app] = (revision, false);
            return true;
        }
    }

    /// <returns>False when the work has gone on, or the revision was taken back already.</returns>
    public bool TryTakeBack(string app, DateTimeOffset revision)
    {
        lock (_gate)
        {
            if (_latest.GetValueOrDefault(app).Revision >= revision) return false;
            _latest[app] = (revision, true);
            return true;
        }
    }

    /// <summary>It was not taken back after all.</summary>
    public void Reopen(string app, DateTimeOffset revision)
    {
        lock (_gate)
            if (_latest.GetValueOrDefault(app) == (revision, true)) _latest[app] = (revision.AddTicks(-1), false);
    }

    /// <summary>Whether the revision can still be taken back.</summary>
    public bool IsOpen(string app, DateTimeOffset revision)
    {
        lock (_gate) return _latest.GetValueOrDefault(app).Revision < revision;
    }

    public void Forget(string app)
    {
        lock (_gate) _latest.Remove(app);
    }
}
