using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Volumes;
using Piccolo.Core.Volumes.Mounting;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Volumes;

/// <summary>A claimed box with real volumes. Disposing leaves no mount and no process.</summary>
internal sealed class VolumeBox : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<ServiceProvider> _daemons = [];

    private Process? _helper;

    private VolumeBox() => Box = new TestBox(_folder.File("state"));

    /// <summary>The socket of the mount helper; null for a daemon that mounts by itself.</summary>
    public string? HelperSocket { get; private set; }

    public TestBox Box { get; }

    public AppVolumes Volumes => (AppVolumes)Service<IAppVolumes>();

    public VolumeMounts Mounts => Service<VolumeMounts>();

    public IEnumerable<VolumeRecord> Records => Box.Store.List(VolumeRecord.Collection);

    public static Task<VolumeBox> StartAsync(bool byHelper = false) => StartAsync(box => PreparedKeySet.ClaimAsync(box.Vault, box.Paths), byHelper);

    /// <summary>Whatever makes the box a claimed one with the test password, then a daemon over it.</summary>
    public static async Task<VolumeBox> StartAsync(Func<TestBox, Task> claim, bool byHelper = false)
    {
        var box = new VolumeBox();
        if (byHelper) await box.StartHelperAsync();
        await claim(box.Box);
        await box.Box.UnlockAsync();
        await box.StartDaemonAsync();
        return box;
    }

    /// <summary>The helper as the unit starts it: one process for each connection.</summary>
    private async Task StartHelperAsync()
    {
        HelperSocket = _folder.File("helper.sock");
        var script = Repository.File("packaging/volumes/piccolo-volume");
        _helper = Process.Start("systemd-socket-activate",
            ["-l", HelperSocket, "-a", "--inetd", "-E", $"PICCOLO_STATE={Box.Paths.Root}", "-E", $"PICCOLO_RUN={_folder.File("run")}", script]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!File.Exists(HelperSocket)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, limit.Token);
    }

    /// <summary>A daemon over the same state; the one before is abandoned as if it were killed: nothing of it is closed.</summary>
    public async Task StartDaemonAsync()
    {
        var services = TestServices.New().AddSingleton(Box.Paths).AddSingleton(Box.Store);
        services.AddSingleton<ILoggerFactory>(Box.Log).AddVolumes().Configure<VolumeOptions>(options => options.Helper = HelperSocket ?? "");
        _daemons.Add(services.BuildServiceProvider());
        foreach (var hosted in _daemons[^1].GetServices<IHostedService>()) await hosted.StartAsync(CancellationToken.None);
    }

    public async Task StopDaemonAsync()
    {
        foreach (var hosted in _daemons[^1].GetServices<IHostedService>()) await hosted.StopAsync(CancellationToken.None);
    }

    public T Service<T>() where T : notnull => _daemons[^1].GetRequiredService<T>();

    /// <returns>The folder of the one volume.</returns>
    public async Task<string> OpenAsync(string app, WantedVolume wanted)
    {
        var result = await Volumes.OpenAsync(app, [wanted], CancellationToken.None);
        Assert.That(result.Fault, Is.Null);
        return result.Folders![wanted.Name];
    }

    public Task<string> OpenAsync(string app, string name = "data") => OpenAsync(app, new WantedVolume(name, null, null, null));

    public async Task<VolumeFault> RefusedAsync(string app, WantedVolume wanted)
    {
        var result = await Volumes.OpenAsync(app, [wanted], CancellationToken.None);
        Assert.That(result.Folders, Is.Null);
        return result.Fault!;
    }

    public async Task CloseAsync(string app) => Assert.That(await Volumes.CloseAsync(app, CancellationToken.None), Is.Null);

    public VolumePaths PathsOf(string app, string name = "data") => new(Box.Paths, Records.Single(r => r.App == app && r.Name == name).Id);

    /// <summary>The process that serves a mount point, in the kernel's own list.</summary>
    public static int? ServerOf(string mountPoint)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) continue;
            if (CommandLine(id).Contains(mountPoint)) return id;
        }
        return null;
    }

    public static string[] CommandLine(int process)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{process}/cmdline")).Split('\0');
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>Kills the server of a mount as the kernel's memory shortage would, and waits until the daemon has seen it.</summary>
    public async Task KillServerAsync(string mountPoint)
    {
        var seen = Volumes.Changed.Version;
        using (var server = Process.GetProcessById(ServerOf(mountPoint)!.Value)) server.Kill();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Volumes.Broken().IsEmpty)
        {
            await Volumes.Changed.WaitAsync(seen, limit.Token);
            seen = Volumes.Changed.Version;
        }
    }

    public ImmutableArray<string> AllFiles() => [.. Directory.EnumerateFiles(Box.Paths.Root, "*", SearchOption.AllDirectories)];

    public async ValueTask DisposeAsync()
    {
        // A last daemon cleans up as every daemon does at its start; what it does not end is ended here.
        await StartDaemonAsync();
        foreach (var id in Service<IVolumeMounter>().Left)
            await Service<IVolumeMounter>().EndLeftAsync(id, TimeSpan.FromSeconds(2), kill: true, CancellationToken.None);
        foreach (var daemon in _daemons) await daemon.DisposeAsync();
        if (_helper is not null)
        {
            _helper.Kill();
            await _helper.WaitForExitAsync();
            _helper.Dispose();
        }
        Box.Dispose();
        _folder.Dispose();
    }
}
