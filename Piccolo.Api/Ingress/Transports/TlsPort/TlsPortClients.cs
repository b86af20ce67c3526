using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Listeners;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Transports.TlsPort;

/// <summary>
/// What every client of our TLS port needs until its ClientHello is whole: its origin, its share of the limits, and the time that it is given.
/// </summary>
internal sealed class TlsPortClients(
    OriginClassifier classifier, TrustedProxies proxies, ConnectionAdmission admission, WaitingPeeks waiting, OpenFiles openFiles, TlsPortDispatcher dispatcher,
    IOptions<IngressOptions> options, TimeProvider time)
{
    public OriginClassifier Classifier => classifier;

    public WaitingPeeks Waiting => waiting;

    public OpenFiles OpenFiles => openFiles;

    public TlsPortDispatcher Dispatcher => dispatcher;

    public IngressOptions Limits => options.Value;

    public TimeProvider Time => time;

    /// <summary>On the loop's thread.</summary>
    public void Begin(Socket socket, IPEndPoint remote, SocketLoop loop, BoundTlsPort port) =>
        new TlsPortClient(socket, classifier.Classify(remote, ListenerDefinition.HttpsPort), proxies.Contains(remote), loop, this, port).Begin();

    /// <inheritdoc cref="ConnectionAdmission.TryEnter"/>
    public ConnectionLease? TryAdmit(string connectionId, IConnectionOriginFeature origin) =>
        admission.TryEnter(connectionId, origin, ListenerDefinition.HttpsPort);
}
