using System.Net.Sockets;
using Piccolo.DevRelay;

namespace Piccolo.Tests.Tools.DevRelay.Fakes;

/// <summary>What the tests of streams and their neighbours have in common.</summary>
internal static class StreamSteps
{
    /// <summary>Sends messages of 32 KiB to a user who does not read, until this many wait in the relay.</summary>
    public static async Task<int> FillAsync(Relay relay, ScriptedBackend backend, Guid id, int waiting)
    {
        var sent = 0;
        while (relay.Sessions().Single().Streams.Single(s => s.Id == id).Buffered < waiting)
        {
            Assert.That(sent, Is.LessThan(2_000), "the kernel takes everything");
            await backend.SendDataAsync(id, new byte[32_768]);
            sent++;
            await backend.UntilAnsweredAsync();
        }

        return sent * 32_768;
    }

    public static async Task PassAsync(TimeSpan time)
    {
        using var clock = new CancellationTokenSource(time);
        var passed = new TaskCompletionSource();
        await using var registration = clock.Token.Register(passed.SetResult);
        await passed.Task;
    }

    public static async Task<(Socket User, Guid Id)> OpenTlsAsync(Relay relay, ScriptedBackend backend) =>
        await relay.OpenStreamAsync(backend, TestHellos.AppExampleTest);
}
