namespace Piccolo.Api.Ingress;
public enum ConnectionOrigin { Loopback, Lan, Forwarded, Tunnel, Node, Container }
public interface IConnectionOriginFeature { ConnectionOrigin Origin { get; } System.Net.IPEndPoint? ClientEndPoint { get; } int PublicPort { get; } }
