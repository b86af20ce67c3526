using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Integrity;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tunnel.Session;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Core.Primitives;

/// <summary>A named pipe in place of a file of the state folder: whoever opens it as a file waits for a writer who never comes.</summary>
[Category("NeedsProcess")]
internal sealed class StateFileTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly (Func<StatePaths, string> File, Func<StatePaths, object?> Read)[] Readers =
    [
        (p => p.KeySet, p => KeySetFile.Read(p.KeySet)),
        (p => p.ControlStoreAnchor, p => StoreAnchor.Read(p.ControlStoreAnchor, new StoreChain(DataKey.Generate()))),
        (p => p.InstanceId, p => InstanceId.ReadOrCreate(p, out _)),
    ];

    private TempFolder _folder;
    private StatePaths _paths;

    [SetUp]
    public void Prepare()
    {
        _folder = new TempFolder();
        _paths = new StatePaths(_folder.Path);
    }

    [TearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public async Task Pipe_InPlaceOfAFile_IsRefusedAtOnce([Range(0, 2)] int reader)
    {
        var (file, read) = Readers[reader];
        var path = file(_paths);
        await MakePipeAsync(path);

        var fault = await AtOnceAsync(path, () => Assert.Catch(() => read(_paths)));

        Assert.That(fault is StoreFaultException { InnerException: { } inner } ? inner : fault,
            Is.InstanceOf<IOException>().With.Message.EqualTo($"'{path}' is not a file."));
    }

    [Test]
    public async Task Pipe_InPlaceOfTheSavedTime_IsAsNone()
    {
        await MakePipeAsync(_paths.Clock);

        var clock = await AtOnceAsync(_paths.Clock,
            () => new ClockFloor(_paths, DateTimeOffset.UnixEpoch, TimeProvider.System, NullLogger<ClockFloor>.Instance));

        Assert.That(clock.Floor, Is.EqualTo(DateTimeOffset.UnixEpoch));
    }

    [Test]
    public void OpenRead_File_IsRead()
    {
        var path = _folder.File("file");
        File.WriteAllText(path, "content");

        using var reader = new StreamReader(StateFile.OpenRead(path), Encoding.ASCII);

        Assert.That(reader.ReadToEnd(), Is.EqualTo("content"));
        Assert.That(() => StateFile.OpenRead(path + "2"), Throws.InstanceOf<FileNotFoundException>());
    }

    [Test]
    public async Task Pipe_InPlaceOfTheTunnelsWeight_IsAsNone()
    {
        await MakePipeAsync(_paths.TunnelWeight);

        var weights = await AtOnceAsync(_paths.TunnelWeight, () => new SessionWeights(_paths.TunnelWeight, TimeProvider.System, NullLogger.Instance));

        Assert.That(weights.Next(0), Is.EqualTo(1));
    }

    private static async Task MakePipeAsync(string path) => Assert.That((await ToolRun.OfAsync("mkfifo", [path])).ExitCode, Is.Zero);

    private static async Task<T> AtOnceAsync<T>(string pipe, Func<T> act)
    {
        var acting = Task.Run(act);
        try
        {
            return await acting.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            // Opening it for both never waits, and lets go who does.
            await using var both = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite);
            throw;
        }
    }
}
