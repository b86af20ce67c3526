using Piccolo.Tests.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Compose;

/// <summary>A copy of <c>compose/prepare</c> in a folder of its own, with an engine that is only a name.</summary>
internal sealed class PreparedFolder : IDisposable
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly string[] Needed = ["sh", "openssl", "cat", "chmod", "cmp", "dirname", "grep", "mkdir", "mv", "rm", "tr", "sed", "wc"];
    private readonly TempFolder _folder = new();

    private PreparedFolder()
    {
        System.IO.File.Copy(Repository.File("compose/prepare"), _folder.File("prepare"));
        System.IO.File.SetUnixFileMode(_folder.File("prepare"), Executable);
        // The tools of this machine and no others, so that an engine which happens to be installed is not found.
        Directory.CreateDirectory(_folder.File("bin"));
        foreach (var tool in Needed)
            System.IO.File.CreateSymbolicLink(_folder.File($"bin/{tool}"),
                new[] { "/usr/bin", "/bin" }.Select(b => Path.Combine(b, tool)).First(System.IO.File.Exists));
        System.IO.File.WriteAllText(Engine, "");
        System.IO.File.SetUnixFileMode(Engine, Executable);
    }

    /// <summary>The last run of the script.</summary>
    public ToolRun Run { get; private set; } = null!;

    public string Engine => _folder.File("bin/podman");

    public static PreparedFolder Make() => new();

    public static async Task<PreparedFolder> MakeAsync()
    {
        var made = Make();
        await made.RunAsync();
        return made;
    }

    public async Task<ToolRun> RunAsync(params string[] arguments) =>
        Run = await ToolRun.OfAsync("/usr/bin/env", [$"PATH={_folder.File("bin")}", _folder.File("prepare"), .. arguments]);

    public string File(string name) => Path.GetFullPath(Path.Combine(_folder.Path, name));

    public void Dispose() => _folder.Dispose();
}
