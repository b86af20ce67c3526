using System.Collections.Concurrent;
using System.Collections.Immutable;
using Piccolo.Core.Exports;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Core.Exports;

/// <summary>Whatever lies below a state folder's volumes, each as the volume "data" of an app of its own. Records who was held.</summary>
internal sealed class FolderVolumes(StatePaths paths) : IExportedVolumes
{
    public const string FirstId = "0123456789abcdef0123456789abcdef";
    public const string SecondId = "fedcba9876543210fedcba9876543210";

    private readonly ConcurrentQueue<string> _calls = [];

    public IEnumerable<string> Calls => _calls;

    /// <summary>Asked at each look: whether something has changed since.</summary>
    public Func<string> Stamp { get; set; } = () => "";

    /// <summary>While an app is held, before anything of it is read.</summary>
    public Action<string> Held { get; set; } = _ => { };

    public ImmutableArray<LeftOutVolume> LeftOut { get; set; } = [];

    public static string AppOf(string id) => $"app-{id[..4]}";

    public ExportSelection Select() => new(
        [.. (Directory.Exists(paths.Volumes) ? Directory.GetDirectories(paths.Volumes) : []).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)
            .Select(id => new ExportedVolume(AppOf(id), "data", "data", id))], LeftOut, Stamp());

    public Task<IDisposable> HoldAsync(string app, CancellationToken cancellationToken)
    {
        _calls.Enqueue($"hold {app}");
        var hold = new Hold(() => _calls.Enqueue($"release {app}"));
        try
        {
            Held(app);
            return Task.FromResult<IDisposable>(hold);
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    private sealed class Hold(Action release) : IDisposable
    {
        public void Dispose() => release();
    }
}
