using System.Net;

namespace Piccolo.Core.Tunnel.Streams;

/// <summary>What the relay tells about a stream when it opens it, checked.</summary>
internal sealed record StreamHead(StreamId Id, string Hostname, int Port, bool IsTls, IPEndPoint? Client, long Credits);
