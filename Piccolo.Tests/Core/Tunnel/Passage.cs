namespace Piccolo.Tests.Core.Tunnel;

/// <summary>How one user and the app deal with each other.</summary>
internal enum Course
{
    /// <summary>The app sends the payload and ends the stream.</summary>
    Download,

    /// <summary>The app sends the payload and its end, and goes on reading.</summary>
    HalfClosedDownload,

    /// <summary>The user sends the payload and then FIN.</summary>
    Upload,

    /// <summary>The user sends the payload, reads it back and leaves.</summary>
    Echo,

    /// <summary>The user sends a part of the payload and resets the connection.</summary>
    AbortedUpload,

    /// <summary>The user reads a part of the payload and resets the connection.</summary>
    AbortedDownload,

    /// <summary>The user waits for a first byte, as for a handshake's, sends the payload and then FIN.</summary>
    AnsweredUpload,
}

/// <summary>One stream to be. What it carries follows from its number.</summary>
internal sealed record Passage(int Number, Course Course, int Size, bool IsTls)
{
    private readonly TaskCompletionSource<byte[]> _received = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>All that the app got from the user, once its input has ended.</summary>
    public Task<byte[]> Received => _received.Task;

    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The app has got the first byte from the user.</summary>
    public Task Begun => _begun.Task;

    public void OnBegun() => _begun.TrySetResult();

    public void OnReceived(byte[] bytes) => _received.TrySetResult(bytes);

    public byte[] Payload() => TunnelUnderTest.Pattern(Size, Number);
}
