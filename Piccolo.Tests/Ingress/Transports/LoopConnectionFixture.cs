using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Transports;
using Piccolo.Tests.Ingress.PassThrough;

namespace Piccolo.Tests.Ingress.Transports;

/// <summary>A connection on a loop, with a real socket at the other end.</summary>
internal abstract class LoopConnectionFixture
{
    protected const int BlockLength = 512;

    private protected SocketLoop _loop = null!;
    private protected BlockPool _memory = null!;
    private protected Socket _peer = null!;
    private protected LoopConnection _connection = null!;

    protected PipeReader Input => _connection.Transport.Input;

    [SetUp]
    public async Task SetUp()
    {
        _loop = new SocketLoop("test", NullLogger.Instance);
        _memory = new BlockPool(BlockLength * 4);
        (_peer, var own) = await SocketSpliceTests.PairAsync();
        _connection = Arrived(own);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _connection.DisposeAsync();
        _peer.Dispose();
        _loop.Dispose();
        _memory.Dispose();
    }

    protected LoopConnection Arrived(Socket socket) => new("test", socket, _loop, _memory) { ResumesOnLoop = true };
}
