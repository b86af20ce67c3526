using System.Diagnostics;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>A gocryptfs that is a child of this process.</summary>
internal sealed class ChildServer : VolumeServer
{
    private readonly Process _process;

    public ChildServer(string id, Process process)
        : base(id)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Hear(e.Data);
        process.ErrorDataReceived += (_, e) => Hear(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.Exited += (_, _) => End();
        process.EnableRaisingEvents = true;
    }

    public override async Task KillAsync()
    {
        // Ended meanwhile: that is what was wanted.
        if (IsRunning && !_process.HasExited) _process.Kill();
        await Exited;
    }

    protected override void Release() => _process.Dispose();
}
