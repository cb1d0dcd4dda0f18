// Package managing answers the merchant: products and their policies, stocktake, production orders,
// sales, the stock ledger.
package managing

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
	"restock/internal/web"
	"restock/lambdas"
)

// An api answers the merchant. API Gateway has authorized the requests.
type api struct {
	shop     *shop.Shop
	leadTime time.Duration // default of new products
	log      *slog.Logger
}

// NewAPI returns the handler of the merchant's routes. leadTime is the default of new products.
func NewAPI(s *shop.Shop, leadTime time.Duration, log *slog.Logger) (http.Handler, error) {
	a := api{s, leadTime, log}
	return web.Router(lambdas.MerchantAPI.Routes, map[string]http.HandlerFunc{
		lambdas.RouteMerchantProducts:      a.answer(http.StatusOK, a.products),
		lambdas.RouteCreateProduct:         a.answer(http.StatusCreated, a.createProduct),
		lambdas.RouteChangeProduct:         a.answer(http.StatusOK, a.changeProduct),
		lambdas.RouteAdjustStock:           a.answer(http.StatusOK, a.adjust),
		lambdas.RouteUndoAdjustment:        a.answer(http.StatusOK, a.undo),
		lambdas.RouteImport:                a.answer(http.StatusOK, a.importProducts),
		lambdas.RouteFactories:             a.answer(http.StatusOK, a.factories),
		lambdas.RouteSales:                 a.answer(http.StatusOK, a.sales),
		lambdas.RouteNotices:               a.answer(http.StatusOK, a.notices),
		lambdas.RouteLedger:                a.answer(http.StatusOK, a.ledger),
		lambdas.RouteProductionOrders:      a.answer(http.StatusOK, a.productionOrders),
		lambdas.RouteProductionOrder:       a.answer(http.StatusOK, a.productionOrder),
		lambdas.RouteOpenProductionOrder:   a.answer(http.StatusCreated, a.openOrder),
		lambdas.RouteCancelProductionOrder: a.answer(http.StatusOK, a.cancelOrder),
	})
}

// answer turns an operation into a handler. It answers with the status and the value that the
// operation returns, or with its error.
func (a api) answer(status int, operation func(http.ResponseWriter, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := operation(w, r)
		if err != nil {
			web.Fail(w, r, a.log, err)
			return
		}
		web.Answer(w, status, value)
	}
}

// page reads the parameters of a page: its length, and the entry that it begins after. before is
// empty for the first page.
func page(query map[string]string) (limit int, before string, err error) {
	limit = shop.DefaultPage
	if text, ok := query["limit"]; ok {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > shop.MaxPage {
			return 0, "", invalid("the parameter limit is %.40q, it must be from 1 to %d", text, shop.MaxPage)
		}
	}
	return limit, query["before"], nil
}

// pathID reads an id from the path of a request.
func pathID(r *http.Request, name string) (uuid.UUID, error) {
	return parseID("the "+name+" in the path", r.PathValue(name))
}

func parseID(what, text string) (uuid.UUID, error) {
	id, ok := web.ParseID(text)
	if !ok {
		return uuid.UUID{}, invalid("%s is %.60q, it must be an id like 0188d6a8-f000-7000-8000-00000000cb01",
			what, text)
	}
	return id, nil
}

func invalid(format string, args ...any) error {
	return &shop.Error{Code: shop.CodeInvalidRequest, Detail: fmt.Sprintf(format, args...)}
}
