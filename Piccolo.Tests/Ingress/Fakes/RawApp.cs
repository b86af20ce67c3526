using System.Net.Sockets;
using System.Text;
using Piccolo.Tests.Ingress.PassThrough;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>An app of which the test says every byte. Text is Latin-1: a letter is a byte.</summary>
internal sealed class RawApp : IDisposable
{
    private readonly TcpListener _listener;

    public RawApp()
    {
        _listener = PassThroughTests.StartListening(out var port);
        Port = port;
    }

    public int Port { get; }

    /// <summary>Whether somebody has connected and was not accepted yet.</summary>
    public bool IsAskedFor => _listener.Pending();

    public async Task<RawAppConnection> AcceptAsync() => new(await _listener.AcceptSocketAsync().WaitAsync(FrontDoor.Patience));

    public void Stop() => _listener.Stop();

    public void Dispose() => _listener.Dispose();
}

/// <summary>One connection to a <see cref="RawApp"/>.</summary>
internal sealed class RawAppConnection(Socket socket) : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];

    /// <summary>The next request's head.</summary>
    /// <param name="hasContent">Some of it may have come already.</param>
    public Task<string> RequestAsync(bool hasContent = false) => ReadUntilAsync("\r\n\r\n", isLast: !hasContent);

    /// <param name="isLast">Nothing may follow.</param>
    public async Task<string> ReadUntilAsync(string end, bool isLast = true)
    {
        var text = new StringBuilder();
        while (isLast ? !text.ToString().EndsWith(end, StringComparison.Ordinal) : !text.ToString().Contains(end, StringComparison.Ordinal))
        {
            var received = await socket.ReceiveAsync(_buffer).WaitAsync(FrontDoor.Patience);
            if (received == 0) throw new EndOfStreamException($"The request ended after: {text}");
            text.Append(Encoding.Latin1.GetString(_buffer, 0, received));
        }
        return text.ToString();
    }

    /// <summary>Reads the next request and answers.</summary>
    public async Task<string> AnswerAsync(string text)
    {
        var request = await RequestAsync();
        await SendAsync(text);
        return request;
    }

    public async Task SendAsync(string text) => await socket.SendAsync(Encoding.Latin1.GetBytes(text)).WaitAsync(FrontDoor.Patience);

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes)..];
    }

    /// <summary>Waits until the other side ends or breaks the connection.</summary>
    public async Task UntilEndAsync()
    {
        try
        {
            while (await socket.ReceiveAsync(_buffer).WaitAsync(FrontDoor.Patience) > 0)
            {
                // What it still says.
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Broken.
        }
    }

    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Ends, and then breaks off what is not read.</summary>
    public void EndSendingThenReset()
    {
        socket.Shutdown(SocketShutdown.Send);
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    /// <summary>Breaks it off.</summary>
    public void Reset() => socket.Close(0);

    public void Dispose() => socket.Dispose();
}
