using System.Net.Sockets;
using System.Text;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>
/// The client of the helper behind <c>piccolo-volumes.socket</c>, whose protocol <c>packaging/volumes/piccolo-volume</c> describes: a connection is one
/// request, a line, and ends with its answer.
/// </summary>
internal sealed class MountHelperClient(string socketPath, TimeProvider time)
{
    private const int LongestAnswer = 64 * 1024;

    /// <summary>umount(8) and its friends answer at once, or wait for a disk.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    /// <summary>Asks and waits for the whole answer.</summary>
    /// <exception cref="IOException">The helper does not answer.</exception>
    public async Task<string> AskAsync(string request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AnswerLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await using var stream = await OpenAsync(request, either.Token);
            return await ReadToEndAsync(stream, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException("The mount helper does not answer in time.");
        }
    }

    /// <summary>Sends a request whose answer is read by the caller, for as long as it lasts.</summary>
    /// <exception cref="IOException">The helper does not answer.</exception>
    public async Task<NetworkStream> OpenAsync(string request, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            var stream = new NetworkStream(socket, ownsSocket: true);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request + "\n"), cancellationToken);
            return stream;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"The mount helper at {socketPath} does not answer: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<string> ReadToEndAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[LongestAnswer];
        var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, read).Trim();
    }
}
