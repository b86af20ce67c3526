using Microsoft.Extensions.Options;
using Piccolo.Core.Exports;
using Piccolo.Core.Primitives;
using Piccolo.Rig;
using Piccolo.Tests.Core.Exports;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Durability;

/// <summary>A state folder, and a process that writes into it until it is done or dead.</summary>
internal sealed class WriteRig : IDisposable
{
    public const string NewPassword = "harbour kettle violin mosaic";
    public const string Words = "words";
    public const string Export = "export.piccolo";

    /// <summary>The one file of the exported box's one volume, relative to the state folder.</summary>
    public const string VolumeFile = $"volumes/{FolderVolumes.FirstId}/cipher/block";

    private const int Killed = 128 + 9;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    public WriteRig()
    {
        State = Directory.CreateDirectory(_folder.File("state")).FullName;
        Marks = Directory.CreateDirectory(_folder.File("marks")).FullName;
    }

    public string State { get; }

    /// <summary>What the process says as files, and what it is given.</summary>
    public string Marks { get; }

    public string Mark(string name) => Path.Combine(Marks, name);

    /// <summary>A box that has an owner and a commit, and is locked.</summary>
    public async Task OwnAsync()
    {
        using var box = new TestBox(State);
        await box.SetUpAsync();
        await box.UnlockAsync();
        box.Store.Commit(t => t.Put(WritingChild.Notes, "before", new WritingChild.Note("kept")));
        await box.LockAsync();
    }

    /// <summary>Recovery words for the box, left where the process finds them.</summary>
    public async Task MakeWordsAsync()
    {
        using var box = new TestBox(State);
        var (_, words) = await box.Vault.GenerateRecoveryKeyAsync(TestBox.Password, CancellationToken.None);
        await File.WriteAllTextAsync(Mark(Words), string.Join(' ', words));
    }

    /// <summary>A full export of another box with a volume, left where the process finds it.</summary>
    public async Task MakeExportAsync()
    {
        using var box = new TestBox(_folder.File("exported"));
        await box.SetUpAsync();
        await box.UnlockAsync();
        box.Store.Commit(t => t.Put(WritingChild.Notes, "exported", new WritingChild.Note("kept")));
        var volume = Directory.CreateDirectory(Path.Combine(box.Paths.Volumes, FolderVolumes.FirstId, "cipher"));
        await File.WriteAllTextAsync(Path.Combine(volume.FullName, "block"), "ciphertext");
        var library = new ExportLibrary(box.Paths);
        var writer = new ExportWriter(box.Paths, box.Store, library, new FolderVolumes(box.Paths), Options.Create(new ExportOptions()), box.Time,
            box.Log.For<ExportWriter>());
        var export = await writer.WriteAsync(ExportKind.Full, "instance", _ => { }, CancellationToken.None);
        File.Copy(library.Find(export.Id)!, Mark(Export));
    }

    /// <summary>Lets the process write to the end and returns its system calls.</summary>
    public async Task<IReadOnlyList<SystemCall>> TraceAsync(string operation)
    {
        var trace = _folder.File("trace");
        var code = await RunAsync("strace",
            ["-f", "--seccomp-bpf", "-y", "-s", "64", "-o", trace, "-e", SystemCallTrace.Calls, "dotnet", .. Arguments(operation)]);
        Assert.That(code, Is.Zero, Log);
        return SystemCallTrace.Parse(File.ReadLines(trace));
    }

    /// <summary>The process kills itself at a step of a durable write. Fails where it did not come there.</summary>
    /// <param name="file">Relative to the state folder.</param>
    public async Task KillAtAsync(string operation, WriteStep step, string file)
    {
        var code = await RunAsync("dotnet", [.. Arguments(operation), step.ToString(), file]);
        Assert.That(code, Is.EqualTo(Killed), Log);
        Assert.That(File.Exists(Mark("LANDED")), Is.True, $"killed at {step} of {file}");
        Assert.That(File.Exists(Mark("ACK")), Is.False, "killed before it could acknowledge");
    }

    /// <summary>The kernel kills the process as it enters the n-th such call on a file; the call is not made. Fails where there was no such call.</summary>
    /// <param name="file">Relative to the state folder.</param>
    public async Task KillInsideAsync(string operation, string call, string file, int count)
    {
        var trace = _folder.File("trace");
        var code = await RunAsync("strace", ["-f", "-y", "-s", "0", "-o", trace, "-P", Path.Combine(State, file), "-e", $"trace={call}", "-e",
            $"inject={call}:signal=KILL:when={count}", "dotnet", .. Arguments(operation)]);
        Assert.That(code, Is.EqualTo(Killed), Log);
        var calls = SystemCallTrace.Parse(File.ReadLines(trace)).Where(c => c.Name == call).ToList();
        Assert.That(calls.Select(c => c.Succeeded), Is.EqualTo(Enumerable.Repeat(true, count - 1).Append(false)), $"killed in {call} number {count} of {file}");
    }

    public void Dispose() => _folder.Dispose();

    private string Log => File.ReadAllText(_folder.File("child.log"));

    private string[] Arguments(string operation) => ["exec", typeof(WritingChild).Assembly.Location, WritingChild.Verb, operation, State, Marks];

    private async Task<int> RunAsync(string program, IReadOnlyList<string> arguments)
    {
        await using var child = ChildProcess.Start(
            new ChildProcessStart(program, arguments, _folder.File("child.log"), program == "strace" ? "strace" : "dotnet-sdk-10.0"));
        await child.Exited.WaitAsync(Limit);
        return child.ExitCode;
    }
}
