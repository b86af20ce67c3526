using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Piccolo.Core.Containers;

namespace Piccolo.Tests.Fakes;

// Images, and what is inside of containers.
internal sealed partial class RecordingContainerRuntime
{
    /// <summary>What an image says of itself, by its reference; where nothing is set, it has neither volumes nor a health check.</summary>
    public Dictionary<string, ImageFacts> Images { get; } = [];

    /// <summary>Folders of images as tars, by the image's reference and the path.</summary>
    public Dictionary<(string Image, string Path), byte[]> ImageFolders { get; } = [];

    /// <summary>What is found to be newer than an app's image.</summary>
    public string? NewerImage { get; set; }

    /// <summary>What is found to be newer than the image of one service ("web", "web.db"); before <see cref="NewerImage"/>.</summary>
    public Dictionary<string, string?> NewerImages { get; } = [];

    /// <summary>What a pull reports before it waits for <see cref="PullGate"/>.</summary>
    public ImmutableArray<PullProgress> PullReports { get; set; } = [];

    /// <summary>What commands answer, by service ("db"): 0 where nothing is set. Each command is recorded as "exec web.db pg_isready".</summary>
    public Dictionary<string, int> ExecCodes { get; } = [];

    /// <summary>What containers printed, by service ("web", "web.db").</summary>
    public Dictionary<string, ImmutableArray<ContainerLogLine>> Logs { get; } = [];

    public Task<ContainerResult<bool>> HasImageAsync(ImageReference image, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult<ContainerResult<bool>>(EngineFault is { } fault ? fault : _images.Contains(image.ToString()));
    }

    public Task<ContainerResult<string?>> NewerImageAsync(string app, string service, ImageReference image, CancellationToken cancellationToken)
    {
        var subject = SubjectOf(app, service);
        return Task.FromResult(Record("compare", subject) is { } fault ? fault
            : new ContainerResult<string?>(NewerImages.TryGetValue(subject, out var own) ? own : NewerImage, null));
    }

    public Task<ContainerResult<ImageFacts>> ImageAsync(ImageReference image, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<ContainerResult<ImageFacts>>(
                FaultOf("image", image.ToString()) is { } fault ? fault : Images.GetValueOrDefault(image.ToString(), new ImageFacts(image.ToString(), [], [])));
        }
    }

    public Task<ContainerResult<Stream?>> ReadImageFolderAsync(ImageReference image, string path, CancellationToken cancellationToken)
    {
        if (Record("read-folder", $"{image} {path}") is { } fault) return Task.FromResult<ContainerResult<Stream?>>(fault);
        lock (_gate)
        {
            var tar = ImageFolders.GetValueOrDefault((image.ToString(), path));
            return Task.FromResult(new ContainerResult<Stream?>(tar is null ? null : new MemoryStream(tar, writable: false), null));
        }
    }

    /// <summary>What containers take, by service ("web", "web.db"); nothing where nothing is set.</summary>
    public Dictionary<string, ContainerUsage> Usage { get; } = [];

    public Task<ContainerResult<ImmutableArray<ContainerUsage>>> UsageAsync(string app, CancellationToken cancellationToken)
    {
        if (Record("usage", app) is { } fault) return Task.FromResult<ContainerResult<ImmutableArray<ContainerUsage>>>(fault);
        lock (_gate)
        {
            var running = _containers.Values.Where(c => c.App == app && c.IsRunning).Select(c => Usage.GetValueOrDefault(SubjectOf(app, c.Service)));
            return Task.FromResult(new ContainerResult<ImmutableArray<ContainerUsage>>([.. running.OfType<ContainerUsage>()], null));
        }
    }

    public async Task<ContainerFault?> PullAsync(ImageReference image, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        var fault = Record("pull", image.ToString());
        foreach (var report in PullReports) progress?.Report(report);
        await PullGate.WaitAsync(cancellationToken);
        if (fault is null) AddImage(image.ToString());
        return fault;
    }

    public Task<ContainerResult<int>> ExecAsync(string id, ImmutableArray<string> command, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ObservedContainer? container;
        lock (_gate) container = _containers.GetValueOrDefault(id);
        if (container is null) return Task.FromResult<ContainerResult<int>>(EngineFault ?? EngineErrors.NotFound);
        var subject = SubjectOf(container.App, container.Service);
        lock (_gate) _calls.Add($"exec {subject} {string.Join(' ', command)}");
        Called.Raise();
        lock (_gate)
        {
            return Task.FromResult<ContainerResult<int>>(
                FaultOf("exec", subject) is { } fault ? fault : container.IsRunning ? ExecCodes.GetValueOrDefault(container.Service) : EngineErrors.Refused);
        }
    }

    public async IAsyncEnumerable<ContainerLogLine> ReadLogAsync(
        string id, int tail, DateTimeOffset? since, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        ImmutableArray<ContainerLogLine> lines = [];
        lock (_gate)
        {
            if (EngineFault is null && _containers.GetValueOrDefault(id) is { } container)
                lines = Logs.GetValueOrDefault(SubjectOf(container.App, container.Service), []);
        }
        foreach (var line in lines.Where(l => since is null || l.At > since).TakeLast(tail)) yield return line;
        // The container goes on: it prints nothing more.
        if (follow) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }
}
