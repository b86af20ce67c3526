using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Piccolo.Core.Volumes;
using Piccolo.Core.Volumes.Mounting;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Volumes;

[Category("NeedsRoot"), Category("Kill")]
internal sealed class VolumeCrashTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private VolumeBox _box = null!;
    private TempFolder _logs = null!;

    [SetUp]
    public async Task SetUp()
    {
        _box = await VolumeBox.StartAsync();
        _logs = new TempFolder();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _box.DisposeAsync();
        _logs.Dispose();
    }

    [Test]
    public async Task Server_Killed_IsSeenAndMountedAnew()
    {
        var folder = await _box.OpenAsync("web");
        await File.WriteAllTextAsync(Path.Combine(folder, "x"), "kept");

        await _box.KillServerAsync(folder);

        Assert.That(_box.Volumes.Broken(), Is.EqualTo(new[] { "web" }));
        Assert.That(_box.Box.Log.Count(5302), Is.EqualTo(1));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await _box.OpenAsync("web"), "x")), Is.EqualTo("kept"));
        Assert.That(_box.Volumes.Broken(), Is.Empty);
        Assert.That(_box.Box.Log.Count(5306), Is.EqualTo(1), "it was read whole before");
        await _box.CloseAsync("web");
        await _box.OpenAsync("web");
        Assert.That(_box.Box.Log.Count(5306), Is.EqualTo(1), "after a clean end nothing is read");
    }

    [Test]
    public async Task Server_KilledWithAFileOpen_IsMountedAnewBesideTheDeadOne()
    {
        var folder = await _box.OpenAsync("web");
        await using var held = File.Create(Path.Combine(folder, "x"));
        await _box.KillServerAsync(folder);

        await File.WriteAllTextAsync(Path.Combine(await _box.OpenAsync("web"), "y"), "written");

        Assert.That(() => RandomAccess.Write(held.SafeFileHandle, "x"u8, 0), Throws.InstanceOf<IOException>(), "whoever held the dead one must start again");
        Assert.That(_box.Mounts.IsServed(_box.PathsOf("web")), Is.True);
        // Closing a file of a dead mount is an error too, which nobody hears of here.
        held.SafeFileHandle.SetHandleAsInvalid();
    }

    [Test]
    public async Task Damage_FoundAfterAnUncleanEnd_IsLoggedAndTheRestStaysReadable()
    {
        var folder = await _box.OpenAsync("web");
        await File.WriteAllTextAsync(Path.Combine(folder, "good"), "good");
        await File.WriteAllTextAsync(Path.Combine(folder, "bad"), new string('b', 5000));
        await _box.KillServerAsync(folder);
        var largest = new DirectoryInfo(_box.PathsOf("web").Cipher).EnumerateFiles().MaxBy(f => f.Length)!;
        await using (var file = largest.OpenWrite())
        {
            file.Position = 100;
            file.Write(new byte[64]);
        }

        folder = await _box.OpenAsync("web");

        Assert.That(_box.Box.Log.Count(5308), Is.EqualTo(1));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(folder, "good")), Is.EqualTo("good"));
        Assert.That(() => File.ReadAllText(Path.Combine(folder, "bad")), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Daemon_KilledWhileFilling_FillsAnewAndWhole()
    {
        var reached = new TaskCompletionSource();
        var half = new WantedVolume("data", null, null, _ => Task.FromResult<Stream?>(new StuckStream(
            TarText.Of(TarText.Dir("d"), TarText.File("d/first", "half"), TarText.File("d/second"))[..^2048], reached)));
        using var killed = new CancellationTokenSource();
        var filling = _box.Volumes.OpenAsync("web", [half], killed.Token);
        await reached.Task.WaitAsync(Limit);
        var volume = _box.PathsOf("web");
        Assert.That(File.Exists(Path.Combine(volume.MountPoint, "first")), Is.True);

        // As a kill does, this closes the file that is being written and leaves the rest as it is.
        await killed.CancelAsync();
        await filling.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(Limit);
        Assert.That(MountPoint.IsMounted(volume.MountPoint, out _), Is.True);

        await _box.StartDaemonAsync();

        Assert.That(MountPoint.IsMounted(volume.MountPoint, out _), Is.False, "what was left was unmounted at the start");
        var folder = await _box.OpenAsync("web", TarText.Wanted(TarText.Of(TarText.Dir("d"), TarText.File("d/whole"))));
        Assert.That(Directory.EnumerateFiles(folder).Select(Path.GetFileName), Is.EqualTo(new[] { "whole" }));
    }

    [Test]
    public async Task Daemon_Killed_NextOneUnmountsAndKeepsTheData()
    {
        var folder = await _box.OpenAsync("web");
        await File.WriteAllTextAsync(Path.Combine(folder, "x"), "kept");
        var held = File.Open(Path.Combine(folder, "x"), FileMode.Open, FileAccess.Read);
        var server = VolumeBox.ServerOf(folder)!.Value;

        await _box.StartDaemonAsync();

        Assert.That(MountPoint.IsMounted(folder, out _), Is.False);
        Assert.That(_box.Box.Log.Count(5304), Is.EqualTo(1));
        Assert.That(_box.Volumes.Mounted(), Has.Length.EqualTo(1), "its server still serves who holds a file");
        Assert.That(VolumeBox.ServerOf(folder), Is.EqualTo(server));
        await held.DisposeAsync();
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await _box.OpenAsync("web"), "x")), Is.EqualTo("kept"));
        Assert.That(VolumeBox.ServerOf(folder), Is.Not.EqualTo(server));
    }

    [Test]
    public async Task Daemon_StoppedInGoodOrder_LeavesNothingMounted()
    {
        var folder = await _box.OpenAsync("web");

        await _box.StopDaemonAsync();

        Assert.That(Directory.Exists(folder), Is.False);
        Assert.That(VolumeBox.ServerOf(folder), Is.Null);
        Assert.That(File.Exists(_box.PathsOf("web").UncleanMark), Is.False);
    }

    /// <summary>In turns the writer dies first, or the file system below it.</summary>
    [Test, Category("Timing")]
    public async Task Sqlite_KilledTwentyTimesWithItsServer_LosesNoCommit()
    {
        var folder = await _box.OpenAsync("db");
        var file = Path.Combine(folder, "rows.db");
        var acknowledged = 0;
        for (var round = 0; round < 20; round++)
        {
            await using var writer = ChildProcess.Start(new ChildProcessStart("dotnet",
                ["exec", typeof(RowWriter).Assembly.Location, RowWriter.Verb, file], _logs.File($"writer-{round}.log"), "dotnet-sdk-10.0"));
            await writer.WaitForLineAsync($"row {acknowledged + 25}.", Limit);
            if (round % 2 == 0) await KillAsync(writer);
            await _box.KillServerAsync(folder);
            await KillAsync(writer);
            acknowledged = File.ReadLines(writer.LogFile).Select(RowWriter.NumberIn).Max();

            Assert.That(await _box.OpenAsync("db"), Is.EqualTo(folder));

            Assert.That(Verify(file), Is.GreaterThanOrEqualTo(acknowledged), $"round {round}");
            acknowledged = Verify(file);
        }
        Assert.That(acknowledged, Is.GreaterThanOrEqualTo(500));
        Assert.That(_box.Box.Log.Count(5308), Is.Zero, _box.Box.Log.Text);
    }

    private static async Task KillAsync(ChildProcess child)
    {
        if (!child.Exited.IsCompleted)
        {
            using var process = Process.GetProcessById(child.Id);
            process.Kill();
        }
        await child.Exited.WaitAsync(Limit);
    }

    /// <returns>The last row; all before it are there, and the database is whole.</returns>
    private static int Verify(string file)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check";
        Assert.That(command.ExecuteScalar(), Is.EqualTo("ok"));
        command.CommandText = "SELECT count(*), max(n) FROM rows";
        using var row = command.ExecuteReader();
        row.Read();
        Assert.That(row.GetInt32(0), Is.EqualTo(row.GetInt32(1)), "no row is missing in between");
        return row.GetInt32(1);
    }

    /// <summary>Gives its bytes, and then neither more nor an end.</summary>
    private sealed class StuckStream(byte[] bytes, TaskCompletionSource reached) : MemoryStream
    {
        private int _at;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var length = Math.Min(buffer.Length, bytes.Length - _at);
            bytes.AsMemory(_at, length).CopyTo(buffer);
            _at += length;
            if (length > 0) return length;
            reached.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return 0;
        }
    }
}
