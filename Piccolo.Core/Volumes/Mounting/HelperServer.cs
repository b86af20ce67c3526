using System.Net.Sockets;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>A gocryptfs that the helper has started. Its connection lasts as long as it does, and carries what it prints.</summary>
internal sealed class HelperServer : VolumeServer
{
    private readonly MountHelperClient _helper;
    private readonly NetworkStream _stream;

    public HelperServer(string id, MountHelperClient helper, NetworkStream stream)
        : base(id)
    {
        (_helper, _stream) = (helper, stream);
        _ = ListenAsync();
    }

    public override async Task KillAsync()
    {
        if (IsRunning) await _helper.AskAsync($"kill {Id}", CancellationToken.None);
        await Exited;
    }

    protected override void Release() => _stream.Dispose();

    private async Task ListenAsync()
    {
        try
        {
            using var reader = new StreamReader(_stream, leaveOpen: true);
            while (await reader.ReadLineAsync() is { } line) Hear(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Reset, or let go: what it printed is not needed any more.
        }
        End();
    }
}
