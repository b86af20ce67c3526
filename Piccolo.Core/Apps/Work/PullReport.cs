using System.Globalization;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Work;

/// <summary>Says how much of an image is here: at the beginning, at most once a second, and at the end. The engine tells of every few kilobytes.</summary>
internal sealed class PullReport : IProgress<PullProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ImageReference _image;
    private readonly TimeProvider _time;
    private readonly Action<string, PullProgress> _say;
    private DateTimeOffset _next;
    private PullProgress _last;

    /// <param name="say">Takes a plain sentence for the owner, and the figures.</param>
    public PullReport(ImageReference image, TimeProvider time, Action<string, PullProgress> say)
    {
        (_image, _time, _say) = (image, time, say);
        say($"Fetching {image}.", _last);
    }

    public void Report(PullProgress value)
    {
        _last = value;
        var now = _time.GetUtcNow();
        if (now < _next || value.TotalBytes is not { } total) return;
        _next = now + Interval;
        _say(string.Create(CultureInfo.InvariantCulture, $"Fetching {_image}: {value.DoneBytes / 1e6:0.0} of {total / 1e6:0.0} MB."), value);
    }

    /// <summary>All of it is here.</summary>
    public void End() => _say($"Fetched {_image}.", _last with { DoneBytes = _last.TotalBytes ?? _last.DoneBytes });
}
