namespace Piccolo.Tests.Fakes;

internal static class CancellationTokenExtensions
{
    /// <summary>Ends when the token fires: how a peer behaves that never answers, until whoever asked has gone.</summary>
    public static async Task FiredAsync(this CancellationToken token)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), fired);
        await fired.Task;
    }
}
